/* Functions that nobody here calls.  The build puts this before every C file, so a call of one is an error of the
 * compiler and not a matter of review.  Declared by hand: including libc's headers would hide a missing #include.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LINLI_BASE_BANNED_H
#define LINLI_BASE_BANNED_H

#define BANNED(instead) __attribute__((deprecated("banned here: " instead)))

struct tm;

/* No bound on what they write, or no end on what they read. */
char *strcpy(char *, const char *) BANNED("memcpy, or a struct buf");
char *strcat(char *, const char *) BANNED("a struct buf");
char *strncpy(char *, const char *, __SIZE_TYPE__) BANNED("memcpy, or snprintf");
char *strtok(char *, const char *) BANNED("str_cut");
int sprintf(char *, const char *, ...) BANNED("snprintf, or buf_fmt");
int vsprintf(char *, const char *, __builtin_va_list) BANNED("vsnprintf, or buf_vfmt");

/* No word about overflow or rubbish. */
int atoi(const char *) BANNED("str_to_i64");
long atol(const char *) BANNED("str_to_i64");
double atof(const char *) BANNED("str_to_f64");

/* Time comes in through struct world, civil time from base/civil; chance through struct world. */
long time(long *) BANNED("ctx->now_ms, or world->utc_ms");
struct tm *localtime(const long *) BANNED("zone_civil");
struct tm *gmtime(const long *) BANNED("zone_civil");
int rand(void) BANNED("world->random");
void srand(unsigned) BANNED("world->random");

/* A shell between us and the program that we mean. */
int system(const char *) BANNED("posix_spawn");

#undef BANNED
#endif
