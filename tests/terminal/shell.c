/* What only a terminal proves about the prompt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tty.h"

static struct tty tty;
static struct termios before;

static const char *tailor(void)
{
    const char *path = getenv("TAILOR");
    return path ? path : "./tailor";
}

static int start(void **state)
{
    (void)state;
    char *argv[] = {(char *)tailor(), "--no-init", NULL};
    if (!tty_open(&tty, 24, 80, argv) || tcgetattr(tty.fd, &before))
        return -1;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (waitpid(tty.pid, NULL, WNOHANG) == 0)
        kill(tty.pid, SIGKILL);
    tty_close(&tty);
    return 0;
}

#define SEEN(text)                                                                  \
    do {                                                                            \
        if (!tty_wait(&tty, text))                                                  \
            fail_msg("\"%s\" never came up; the screen:\n%s", text, tty_screen(&tty)); \
    } while (0)

/* The prompt is back: the last line that is not empty. What is typed before belongs to the command. */
static void prompt_is_back(void)
{
    double deadline = tty_now() + TTY_SECONDS;
    for (;;) {
        const char *screen = tty_screen(&tty), *last = screen;
        for (const char *p = screen; *p; p += strcspn(p, "\n") + 1)
            last = *p != '\n' ? p : last;
        if (strncmp(last, "tailor>\n", 8) == 0)
            return;
        if (tty_now() > deadline || tty.ended)
            fail_msg("the prompt did not come back; the screen:\n%s", screen);
        tty_read(&tty, 0.1);
    }
}

static void leave(void)
{
    prompt_is_back();
    tty_send(&tty, "\x04");
    assert_int_equal(tty_end(&tty), 0);
}

static void prompt_and_ctrl_d(void **state)
{
    (void)state;
    struct termios after;
    SEEN("tailor>");
    SEEN("load FILE");
    leave();
    assert_int_equal(tcgetattr(tty.fd, &after), 0);
    assert_int_equal(after.c_lflag & (ECHO | ICANON | ISIG), before.c_lflag & (ECHO | ICANON | ISIG));
    assert_int_equal(after.c_iflag & ICRNL, before.c_iflag & ICRNL);
}

static void quit_leaves(void **state)
{
    (void)state;
    SEEN("tailor>");
    tty_send(&tty, "quit\r");
    assert_int_equal(tty_end(&tty), 0);
}

static void quit_asks_for_models(void **state)
{
    (void)state;
    SEEN("tailor>");
    tty_send(&tty, "load tiny\r");
    SEEN("tailor tiny>");
    tty_send(&tty, "train pop as p1\r");
    SEEN("│ p1");
    tty_send(&tty, "quit\r");
    SEEN("1 model is in no file: `save FILE` keeps it. Leave all the same? [y/N]");
    tty_send(&tty, "n\r");
    tty_send(&tty, "models\r");
    SEEN("trained");
    tty_send(&tty, "quit\r");
    SEEN("[y/N]");
    tty_send(&tty, "y\r");
    assert_int_equal(tty_end(&tty), 0);
}

static void tab_completes(void **state)
{
    (void)state;
    SEEN("tailor>");
    tty_send(&tty, "hel\t");
    SEEN("tailor> help");
    SEEN("[WORD ...]"); /* the hint, behind the cursor */
    tty_send(&tty, "\x15ti\t");
    SEEN("tailor> timer");
    tty_send(&tty, "on\r");
    SEEN("│ timer");
    tty_send(&tty, "t\t\t");
    SEEN("train");
    tty_send(&tty, "\x15");
    leave();
}

static void ctrl_c_clears_the_line(void **state)
{
    (void)state;
    SEEN("tailor>");
    tty_send(&tty, "frobnicate");
    SEEN("tailor> frobnicate");
    tty_send(&tty, "\x03");
    SEEN("frobnicate^C\ntailor>");
    tty_send(&tty, "set who ann\r");
    SEEN("│ who     │ ann   │");
    leave();
}

static void ctrl_c_cancels_the_command(void **state)
{
    (void)state;
    SEEN("tailor>");
    tty_send(&tty, "watch 30 set who\r");
    SEEN("watch 30 set who\n");
    tty_send(&tty, "\x03");
    SEEN("\ntailor>\n");
    tty_send(&tty, "set who ann\r");
    SEEN("│ who     │ ann   │");
    tty_send(&tty, "watch 30 set who\r");
    SEEN("watch 30 set who\n╭"); /* it has run once and waits now */
    tty_send(&tty, "\x03");
    SEEN("cancelled");
    leave();
}

static void errors_have_a_caret(void **state)
{
    (void)state;
    SEEN("tailor>");
    tty_send(&tty, "tarin ease\r");
    SEEN("error: no command \"tarin\"\n  tarin ease\n  ^^^^^\nhint: ");
    leave();
}

static void hostile_text_is_shown_not_obeyed(void **state)
{
    (void)state;
    static const char *const attacks[] = {"\033[2J", "\033]52;", "\xc2\x9b" "31m", "\xe2\x80\xae", "\a"};
    char path[] = "/tmp/tailor-rc-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "set who \"%s%s x\x07%s%s\"\n", attacks[0], attacks[1], attacks[2], attacks[3]) > 0);
    close(fd);
    leave();
    tty_close(&tty);
    char *argv[] = {(char *)tailor(), "--init", path, NULL};
    assert_true(tty_open(&tty, 24, 80, argv));
    SEEN("tailor>");
    tty_send(&tty, "set\r");
    SEEN("^[[2J^[]52;");
    tty_send(&tty, "set output csv\r");
    SEEN("output,csv");
    tty_send(&tty, "set who\r");
    SEEN("who,^[[2J");
    tty_send(&tty, "set output json\r");
    tty_send(&tty, "set who\r");
    SEEN("\\u001b[2J");
    tty_send(&tty, "nothing $who\r");
    SEEN("error: no command");
    leave();
    unlink(path);
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
        if (strstr(tty.log, attacks[i]))
            fail_msg("attack %zu reached the terminal", i);
}

static void history_comes_back(void **state)
{
    (void)state;
    SEEN("tailor>");
    tty_send(&tty, "set who remembered\r");
    SEEN("│ remembered │");
    tty_send(&tty, "\x10");
    SEEN("\ntailor> set who remembered\n");
    tty_send(&tty, "\x15history\r");
    SEEN("│ history ");
    leave();
}

static void narrow_and_plain(void **state)
{
    (void)state;
    leave();
    tty_close(&tty);
    char *argv[] = {(char *)tailor(), "--no-init", "--plain", NULL};
    assert_true(tty_open(&tty, 24, 30, argv));
    SEEN("tailor>");
    tty_send(&tty, "set who ann\r");
    SEEN("setting  value\nwho      ann\n");
    leave();
    assert_null(strstr(tty.log, "\033[1m"));
    assert_null(strstr(tty.log, "─"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(prompt_and_ctrl_d, start, stop),
        cmocka_unit_test_setup_teardown(quit_leaves, start, stop),
        cmocka_unit_test_setup_teardown(quit_asks_for_models, start, stop),
        cmocka_unit_test_setup_teardown(tab_completes, start, stop),
        cmocka_unit_test_setup_teardown(ctrl_c_clears_the_line, start, stop),
        cmocka_unit_test_setup_teardown(ctrl_c_cancels_the_command, start, stop),
        cmocka_unit_test_setup_teardown(errors_have_a_caret, start, stop),
        cmocka_unit_test_setup_teardown(hostile_text_is_shown_not_obeyed, start, stop),
        cmocka_unit_test_setup_teardown(history_comes_back, start, stop),
        cmocka_unit_test_setup_teardown(narrow_and_plain, start, stop),
    };
    setenv("TAILOR_PAGER", "cat", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
