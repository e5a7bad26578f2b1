/* Data that would steer the terminal: nothing of it arrives there, whatever shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tty.h"

/* Each would be seen in what the program writes, for it writes none of them itself. */
static const char *const attacks[] = {"\033[66;6H", "\033]52;c;aGk=\a", "\033]0;mine\033\\", "\302\2335;31m", "\342\200\256", "\342\200\213", "\177"};
enum { ATTACKS = sizeof attacks / sizeof *attacks };

static void write_events(const char *path)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("user,item,time,type,title\n", f);
    for (int u = 0; u < 6; u++)
        for (int i = 0; i < ATTACKS; i++)
            if ((u + i) % 3)
                fprintf(f, "u%d%s,i%d%s,%d,ty%spe,%s title %d %s\n", u, attacks[u], i, attacks[i], 1700000000 + 60 * u + i, attacks[1], attacks[i], i,
                        attacks[(i + 1) % ATTACKS]);
    fprintf(f, "u0,i0,soon%s,click,x\nu1,long,1700000999,click,", attacks[0]);
    for (int i = 0; i < 10000; i++)
        fputc('a' + i % 26, f);
    fputc('\n', f);
    fclose(f);
}

static void nothing_arrived(struct tty *t, const char *where)
{
    for (int i = 0; i < ATTACKS; i++)
        if (memmem(t->log, t->logged, attacks[i], strlen(attacks[i])))
            fail_msg("%s: attack %d reached the terminal", where, i);
}

static void say(struct tty *t, const char *keys, const char *answer, const char *where)
{
    tty_send(t, keys);
    if (!tty_wait(t, answer))
        fail_msg("%s: \"%s\" never came up; the screen:\n%s", where, answer, tty_screen(t));
    nothing_arrived(t, where);
}

static char path[] = "/tmp/tailor-hostile-XXXXXX", load[96];

static char *program(void)
{
    char *tailor = getenv("TAILOR");
    return tailor ? tailor : "./tailor";
}

static void test_results_and_screen(void **state)
{
    (void)state;
    struct tty t;
    char *argv[] = {program(), "--no-init", "-c", "set pager off", "-c", load, "-c", "train pop itemknn ease", "-c", "rejects", "-c", "events", "-c",
                    "events by=type", "-c", "find title", "-c", "recommend all k=2", "-c", "status", "--ui", NULL};
    assert_true(tty_open(&t, 40, 120, argv));
    say(&t, "", "? help", "results");
    say(&t, "4", "[4 User]", "the user's view");
    say(&t, "2", "[2 Models]", "the models");
    say(&t, "1", "[1 Data]", "the data");
    assert_int_equal(kill(t.pid, SIGTERM), 0);
    tty_end(&t);
    nothing_arrived(&t, "the end");
    tty_close(&t);
}

static void test_prompt(void **state)
{
    (void)state;
    struct tty t;
    char *argv[] = {program(), "--no-init", NULL};
    assert_true(tty_open(&t, 40, 120, argv));
    say(&t, "", "tailor>", "the greeting");
    tty_send(&t, load);
    say(&t, "\r", "tailor hostile>", "load");
    tty_send(&t, "user u\t\t\t\025similar t\t\t\t\025");
    say(&t, "train pap\r", "^^^", "completion, and a caret");
    tty_send(&t, "quit\r");
    assert_int_equal(tty_end(&t), 0);
    nothing_arrived(&t, "the end");
    tty_close(&t);
}

static int make_events(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    write_events(path);
    snprintf(load, sizeof load, "load %s item.title=title as hostile", path);
    return 0;
}

static int drop_events(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_results_and_screen), cmocka_unit_test(test_prompt)};
    return cmocka_run_group_tests_name("hostile", tests, make_events, drop_events);
}
