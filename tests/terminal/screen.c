/* What only a terminal proves about the screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/ioctl.h>

#include "tty.h"

static struct tty tty;
static struct termios before;

#define SEEN(text)                                                                  \
    do {                                                                            \
        if (!tty_wait(&tty, text))                                                  \
            fail_msg("\"%s\" never came up; the screen:\n%s", text, tty_screen(&tty)); \
    } while (0)
#define GONE(text)                                                                  \
    do {                                                                            \
        if (!tty_wait_gone(&tty, text))                                             \
            fail_msg("\"%s\" stays; the screen:\n%s", text, tty_screen(&tty));       \
    } while (0)

static bool start_on(const char *term)
{
    char setting[64];
    const char *path = getenv("TAILOR");
    snprintf(setting, sizeof setting, "TERM=%s", term);
    const char *argv[] = {"/usr/bin/env", setting, path ? path : "./tailor", "--no-init", "-c", "load tiny", "-c", "split last 1", "-c",
                          "train pop ease lambda=1", "-c", "user ana", "--ui", NULL};
    return tty_open(&tty, 24, 80, (char *const *)argv) && tcgetattr(tty.fd, &before) == 0;
}

static int start(void **state)
{
    (void)state;
    return start_on("xterm-256color") ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    if (waitpid(tty.pid, NULL, WNOHANG) == 0)
        kill(tty.pid, SIGKILL);
    tty_close(&tty);
    return 0;
}

/* The last of `on` and `off` in what was written is `off`. */
static bool switched_off(const char *on, const char *off)
{
    const char *p = tty.log, *last = NULL, *q;
    while ((q = strstr(p, on)))
        p = q + 1;
    for (; (q = strstr(p, off)); p = q + 1)
        last = q;
    return last != NULL;
}

/* Waits for the end; the terminal has to be as it was found: main screen, cursor, modes. */
static int end_and_look(void)
{
    struct termios after;
    int code = tty_end(&tty);
    assert_true(switched_off("\033[?1049h", "\033[?1049l"));
    assert_true(switched_off("\033[?25l", "\033[?25h") || !strstr(tty.log, "\033[?25l") || strstr(tty.log, "\033[?12l\033[?25h"));
    assert_int_equal(tcgetattr(tty.fd, &after), 0);
    assert_int_equal(after.c_lflag & (ECHO | ICANON | ISIG), before.c_lflag & (ECHO | ICANON | ISIG));
    assert_int_equal(after.c_iflag & ICRNL, before.c_iflag & ICRNL);
    assert_int_equal(after.c_oflag & (OPOST | ONLCR), before.c_oflag & (OPOST | ONLCR));
    return code;
}

static void switches_and_gives_the_terminal_back(void **state)
{
    (void)state;
    SEEN("[x] Camping stove");
    tty_send(&tty, " ");
    SEEN("whatif ana remove id:stove");
    SEEN("[ ] Camping stove");
    tty_send(&tty, "z");
    SEEN("[x] Camping stove");
    tty_send(&tty, "\t\033OB"); /* Tab, arrow down */
    SEEN("is 2nd by pop");
    tty_send(&tty, "\033[Z"); /* back to the history */
    SEEN("Space does it");
    tty_send(&tty, "Q");
    assert_int_equal(end_and_look(), 0);
}

static void follows_every_size(void **state)
{
    (void)state;
    static const struct {
        int rows, columns;
        const char *words;
    } sizes[] = {{5, 39, "too small"}, {40, 120, "counts by event type"}, {24, 80, "? help"}};
    SEEN("[x] Camping stove");
    tty_send(&tty, "\t");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct winsize size = {.ws_row = (unsigned short)sizes[i].rows, .ws_col = (unsigned short)sizes[i].columns};
        tty.rows = sizes[i].rows;
        tty.columns = sizes[i].columns;
        vterm_set_size(tty.vt, tty.rows, tty.columns);
        assert_int_equal(ioctl(tty.fd, TIOCSWINSZ, &size), 0); /* the kernel sends SIGWINCH */
        SEEN(sizes[i].words);
    }
    tty_send(&tty, "Q");
    assert_int_equal(end_and_look(), 0);
}

static void control_c_never_ends_it(void **state)
{
    (void)state;
    SEEN("[x] Camping stove");
    tty_send(&tty, "\003");
    SEEN("nothing is running");
    tty_send(&tty, "g");
    GONE("nothing is running");
    assert_int_equal(kill(tty.pid, SIGINT), 0);
    SEEN("nothing is running");
    tty_send(&tty, ":statu\t");
    SEEN(":status");
    tty_send(&tty, "\003");
    GONE(":status");
    tty_send(&tty, "Q");
    assert_int_equal(end_and_look(), 0);
}

static void a_deadly_signal_leaves_the_terminal_usable(void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGHUP, SIGABRT, SIGSEGV};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (i > 0) {
            stop(NULL);
            assert_true(start_on("xterm-256color"));
        }
        SEEN("[x] Camping stove");
        assert_int_equal(kill(tty.pid, signals[i]), 0);
        assert_int_not_equal(end_and_look(), -1);
    }
}

static void stops_and_comes_back(void **state)
{
    (void)state;
    SEEN("[x] Camping stove");
    tty_send(&tty, "\032"); /* Ctrl-Z. A group without a shell above it is not stopped and goes on at once. */
    double deadline = tty_now() + TTY_SECONDS;
    while (!strstr(tty.log, "\033[?1049l") && tty_now() < deadline)
        tty_read(&tty, 0.05);
    assert_non_null(strstr(tty.log, "\033[?1049l"));
    kill(tty.pid, SIGCONT);
    tty_send(&tty, " ");
    SEEN("[ ] Camping stove");
    tty_send(&tty, "Q");
    assert_int_equal(end_and_look(), 0);
}

static void a_dumb_terminal_gets_the_shell(void **state)
{
    (void)state;
    stop(NULL);
    assert_true(start_on("dumb"));
    SEEN("cannot place the cursor");
    assert_null(strstr(tty.log, "\033["));
    kill(tty.pid, SIGKILL);
    tty_end(&tty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(switches_and_gives_the_terminal_back, start, stop),
        cmocka_unit_test_setup_teardown(follows_every_size, start, stop),
        cmocka_unit_test_setup_teardown(control_c_never_ends_it, start, stop),
        cmocka_unit_test_setup_teardown(a_deadly_signal_leaves_the_terminal_usable, start, stop),
        cmocka_unit_test_setup_teardown(stops_and_comes_back, start, stop),
        cmocka_unit_test_setup_teardown(a_dumb_terminal_gets_the_shell, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
