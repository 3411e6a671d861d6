/* The reference and the types, made of the test module's tables.  SPDX-License-Identifier: Apache-2.0 */
#include "main/reference.h"
#include "tests/lib/test.h"
#include "tests/lib/test_module.h"

#include <string.h>

static void types_and_reference_name_everything(struct t *t) {
    static const char *const types[] = {"export interface SamplesRow extends RowBase {\n",
                                        "  size: 'small' | 'medium' | 'large' | null;\n",
                                        "  title: string;\n",
                                        "  state: 'new' | 'accepted' | 'working' | 'done' | 'dropped';\n",
                                        "  parts?: SamplesPartsLine[];\n",
                                        "  photos: FileInfo[];\n",
                                        "  balance: number | string | null;\n",
                                        "export interface SamplesCreate {\n  title: string;\n  note?: string | null;\n",
                                        "export interface SamplesPatch {\n  title?: string | null;\n",
                                        "  open_samples: OpenSamplesRow;\n"};
    static const char *const lines[] = {"## samples: 样品 / Samples\n",
                                        "| `title` | text | 标题 / Title | required; searched; 2..60; |\n",
                                        "| `accept` | new | accepted | chief manager | worker_id note | worker_id |\n",
                                        "| resident | create, read, update | own: owner |", "read-only"};
    struct kernel *k = NULL;
    struct str words = str_of(test_words), text;
    const struct module *modules[] = {&test_module};
    struct buf b;
    CHECK(t, !kernel_create(&(struct kernel_options){.modules = modules, .modules_n = 1, .words = &words, .words_n = 1},
                            &k, &t->fault));
    CHECK(t, kernel_words_missing(k, NULL) == 0);
    buf_init_arena(&b, &t->arena, 1 << 20);
    reference_types(k, &b);
    CHECK(t, buf_done(&b, &text));
    for (size_t i = 0; i < COUNT(types); i++) CHECK_SAY(t, strstr(text.ptr, types[i]), "%s", types[i]);
    CHECK(t, !strstr(text.ptr, "token"));
    buf_init_arena(&b, &t->arena, 1 << 20);
    reference_markdown(k, &b);
    CHECK(t, buf_done(&b, &text));
    for (size_t i = 0; i < COUNT(lines); i++) CHECK_SAY(t, strstr(text.ptr, lines[i]), "%s", lines[i]);
    kernel_destroy(k);
}

TESTS(CASE(types_and_reference_name_everything))
