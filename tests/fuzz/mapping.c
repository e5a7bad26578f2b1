/* A mapping as it is typed, and the file that it speaks of: the first line of the input is key=value ... with blanks
 * between, the rest is the file, read by whichever reader takes it. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/load.h"

enum { PAIRS = 12, LINE = 512 };

/* Cuts line into pairs, in place. */
static size_t pairs(char *line, struct mapping *out)
{
    size_t n = 0;
    for (char *rest, *word = strtok_r(line, " ", &rest); word && n < PAIRS; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        if (!equals)
            continue;
        *equals = 0;
        out[n++] = (struct mapping){word, equals + 1};
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mapping mapping[PAIRS];
    struct outcome file;
    char line[LINE];
    const uint8_t *end = memchr(data, '\n', n);
    size_t length = end ? (size_t)(end - data) : n;
    if (length >= LINE || memchr(data, 0, length))
        return 0;
    memcpy(line, data, length);
    line[length] = 0;
    size_t skip = length + (end != NULL);
    fuzz_load(data + skip, n - skip, false, mapping, pairs(line, mapping), &file);
    fuzz_check(&file);
    return 0;
}
