/* Replays every file of a folder through a fuzz target, where there is no libFuzzer.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILE_MAX (1024L * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes are on the heap in their exact size, so that a read past them is seen. */
static int replay(const char *path, long size) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size ? (size_t)size : 1);
    int ok = file && data && fread(data, 1, (size_t)size, file) == (size_t)size;
    if (ok) (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    if (file) (void)fclose(file);
    return ok;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    DIR *dir = opendir(argv[1]);
    int count = 0;
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        char path[PATH_MAX];
        struct stat info;
        int n = snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        if (n < 0 || (size_t)n >= sizeof(path) || stat(path, &info) || !S_ISREG(info.st_mode)) continue;
        if (info.st_size > FILE_MAX || !replay(path, (long)info.st_size)) {
            (void)fprintf(stderr, "%s: cannot be read\n", path);
            (void)closedir(dir);
            return 1;
        }
        count++;
    }
    if (dir) (void)closedir(dir);
    printf("%d files replayed\n", count);
    return count ? 0 : 1;
}
