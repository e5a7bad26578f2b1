#include "commands/habits.h"

#include <string.h>

bool habit_translate(const char *text, struct str *out)
{
    static const struct {
        const char *typed, *alone, *with; /* without and with a word behind it; NULL: the same */
    } habits[] = {
        {"\\d", "tables", "describe"},
        {"\\dt", "tables", "describe"},
        {"\\d+", "tables", "describe"},
        {"\\dv", "tables", "describe"},
        {"\\l", "datasets", NULL},
        {"\\c", "datasets", "load"},
        {"\\q", "quit", NULL},
        {"\\?", "help", NULL},
        {"\\h", "help", NULL},
        {"\\i", "help source", "source"},
        {"\\timing", "timer", NULL},
        {".tables", "tables", "describe"},
        {".schema", "tables", "describe"},
        {".databases", "datasets", NULL},
        {".quit", "quit", NULL},
        {".exit", "quit", NULL},
        {".help", "help", NULL},
        {".read", "help source", "source"},
        {".timer", "timer", NULL},
    };
    size_t n = strcspn(text, " \t\r\n;"), rest = n + strspn(text + n, " \t\r\n;");
    if (*text != '\\' && *text != '.')
        return false;
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++) {
        if (strlen(habits[i].typed) != n || strncmp(text, habits[i].typed, n) != 0)
            continue;
        size_t end = rest + strcspn(text + rest, ";");
        str_puts(out, text[rest] && habits[i].with ? habits[i].with : habits[i].alone);
        if (text[rest]) {
            str_putc(out, ' ');
            str_append(out, text + rest, end - rest);
        }
        return true;
    }
    return false;
}
