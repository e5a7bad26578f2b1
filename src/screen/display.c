#define NCURSES_WIDECHAR 1
#include "screen/display.h"

#include <langinfo.h>
#include <ncurses.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"

enum { INKS = 7, ESCAPE_WAIT_MS = 25, RESTORE_BYTES = 256 };

/* Signals that the loop answers to, and those that end the program and must leave the terminal usable. */
static const int watched[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { NWATCHED = sizeof watched / sizeof *watched, NDEADLY = sizeof deadly / sizeof *deadly };

struct display {
    SCREEN *screen;
    FILE *in, *out;
    bool color;
    int height, width;
    sigset_t before;                        /* the mask to go back to, and the one of the wait */
    struct sigaction old[NWATCHED], old_deadly[NDEADLY];
};

/* Flags of the signal handlers, and what the handler of a crash needs to restore the terminal without any library. */
static volatile sig_atomic_t resized, stopped, interrupted, ended;
static volatile sig_atomic_t restore_fd = -1, restore_length;
static char restore_bytes[RESTORE_BYTES];
static struct termios restore_modes;
static pthread_t drawer; /* the thread that waits for keys */

static void on_signal(int sig)
{
    /* The kernel may pick any thread that does not block the signal (the linear algebra library has some); only the
     * one that waits can be woken, and there the signal stays pending until it waits. */
    if (!pthread_equal(pthread_self(), drawer)) {
        pthread_kill(drawer, sig);
        return;
    }
    if (sig == SIGWINCH || sig == SIGCONT)
        resized = 1;
    else if (sig == SIGTSTP)
        stopped = 1;
    else if (sig == SIGINT)
        interrupted = 1;
    else
        ended = sig;
}

static void on_crash(int sig)
{
    if (restore_fd >= 0) {
        ssize_t ignored = write(restore_fd, restore_bytes, (size_t)restore_length);
        (void)ignored; /* nobody is left to be told */
        tcsetattr(restore_fd, TCSANOW, &restore_modes);
    }
    signal(sig, SIG_DFL);
    raise(sig);
}

static void signals_install(struct display *t)
{
    struct sigaction action = {.sa_handler = on_signal},
                     crash = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
    sigset_t mask;
    sigemptyset(&mask);
    resized = stopped = interrupted = ended = 0;
    drawer = pthread_self();
    for (size_t i = 0; i < NWATCHED; i++) {
        sigaddset(&mask, watched[i]);
        sigaction(watched[i], &action, &t->old[i]);
    }
    for (size_t i = 0; i < NDEADLY; i++)
        sigaction(deadly[i], &crash, &t->old_deadly[i]);
    pthread_sigmask(SIG_BLOCK, &mask, &t->before);
}

static void signals_restore(struct display *t)
{
    for (size_t i = 0; i < NWATCHED; i++)
        sigaction(watched[i], &t->old[i], NULL);
    for (size_t i = 0; i < NDEADLY; i++)
        sigaction(deadly[i], &t->old_deadly[i], NULL);
    pthread_sigmask(SIG_SETMASK, &t->before, NULL);
}

/* Remembers the strings that end full-screen mode; the modes were read before newterm changed them. */
static void restore_remember(int fd, bool have_modes)
{
    static const char *const names[] = {"sgr0", "cnorm", "rmkx", "rmcup"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *s = tigetstr(names[i]);
        size_t length = s && s != (char *)-1 ? strcspn(s, "$") : 0; /* paddings are not for such an hour */
        if (n + length > sizeof restore_bytes)
            break;
        memcpy(restore_bytes + n, s, length);
        n += length;
    }
    restore_length = (sig_atomic_t)n;
    restore_fd = have_modes ? fd : -1;
}

bool display_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static enum status can_place_cursor(int fd, struct error *err)
{
    const char *term = getenv("TERM");
    int problem = 0;
    if (!term || !*term || setupterm(term, fd, &problem) != OK) {
        error_set(err, ST_UNSUPPORTED, "the screen needs a terminal, and TERM=%s is not one that is known here",
                  term ? term : "");
        error_hint(
            err,
            "set TERM to what your terminal is (xterm-256color suits most), or go on in the shell: every view has its "
            "command");
        return ST_UNSUPPORTED;
    }
    const char *cup = tigetstr("cup");
    bool can = cup && cup != (char *)-1;
    del_curterm(cur_term);
    if (can)
        return ST_OK;
    error_set(err, ST_UNSUPPORTED, "the terminal \"%s\" cannot place the cursor, so there is no screen on it", term);
    error_hint(err, "go on in the shell: every view has its command (status, models, user)");
    return ST_UNSUPPORTED;
}

static void colors_start(struct display *t)
{
    static const short ink[INKS] = {-1, COLOR_RED, COLOR_GREEN, COLOR_YELLOW, COLOR_BLUE, COLOR_MAGENTA, COLOR_CYAN};
    const char *no = getenv("NO_COLOR");
    if (no && *no)
        t->color = false;
    t->color = t->color && has_colors() && start_color() == OK && use_default_colors() == OK;
    for (short i = 1; t->color && i < INKS; i++)
        init_pair(i, ink[i], -1);
}

enum status display_open(FILE *in, FILE *out, bool color, struct display **result, struct error *err)
{
    *result = NULL;
    if (can_place_cursor(fileno(out), err) != ST_OK)
        return err ? err->code : ST_UNSUPPORTED;
    struct display *t = mem_new(1, sizeof *t, "the terminal", err);
    if (!t)
        return ST_NOMEM;
    t->in = in;
    t->out = out;
    t->color = color;
    bool have_modes = tcgetattr(fileno(out), &restore_modes) == 0;
    signals_install(t); /* before newterm, which leaves handlers alone that are not the default */
    t->screen = newterm(NULL, out, in);
    if (!t->screen) {
        signals_restore(t);
        mem_free(t);
        return error_set(err, ST_UNSUPPORTED, "the terminal could not be opened");
    }
    restore_remember(fileno(out), have_modes);
    set_term(t->screen);
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_WAIT_MS);
    colors_start(t);
    getmaxyx(stdscr, t->height, t->width);
    *result = t;
    return ST_OK;
}

void display_close(struct display *t)
{
    if (!t)
        return;
    endwin();
    delscreen(t->screen);
    restore_fd = -1;
    signals_restore(t);
    int sig = ended;
    mem_free(t);
    if (sig)
        raise(sig);
}

void display_size(const struct display *t, int *height, int *width)
{
    *height = t->height;
    *width = t->width;
}

static void take_size(struct display *t)
{
    struct winsize size;
    if (ioctl(fileno(t->out), TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
    getmaxyx(stdscr, t->height, t->width);
}

/* ---- keys ---- */

static int32_t special_key(wint_t code)
{
    static const struct {
        int curses, key;
    } keys[] = {{KEY_UP, K_UP},       {KEY_DOWN, K_DOWN},       {KEY_LEFT, K_LEFT},     {KEY_RIGHT, K_RIGHT},
                {KEY_HOME, K_HOME},   {KEY_END, K_END},         {KEY_PPAGE, K_PAGE_UP}, {KEY_NPAGE, K_PAGE_DOWN},
                {KEY_DC, K_DELETE},   {KEY_BTAB, K_BACKTAB},    {KEY_F(1), K_F1},       {KEY_BACKSPACE, K_BACKSPACE},
                {KEY_ENTER, K_ENTER}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if ((int)code == keys[i].curses)
            return keys[i].key;
    return K_NONE;
}

static int32_t read_key(void)
{
    wint_t code;
    int kind = get_wch(&code);
    if (kind == ERR)
        return K_NONE;
    if (kind == KEY_CODE_YES)
        return special_key(code);
    if (code == K_ESCAPE) { /* Alt-x comes as Escape with x at its heels */
        kind = get_wch(&code);
        if (kind == ERR)
            return K_ESCAPE;
        return kind == KEY_CODE_YES ? special_key(code) : (int32_t)(K_ALT | code);
    }
    if (code == '\n')
        return K_ENTER;
    return code == 8 ? K_BACKSPACE : (int32_t)code;
}

static bool take_flag(volatile sig_atomic_t *flag)
{
    bool was = *flag;
    *flag = 0;
    return was;
}

/* The terminal makes no signals of keys here, so Ctrl-Z comes as one. */
static enum display_event key_event(int32_t key)
{
    return key == K_CTRL('z') ? DISPLAY_STOP : DISPLAY_KEY;
}

enum display_event display_wait(struct display *t, int milliseconds, int wake_fd, int32_t *key)
{
    *key = read_key(); /* ncurses may hold keys that poll does not see, and some came while we drew */
    if (*key != K_NONE)
        return key_event(*key);
    struct pollfd fds[2] = {{.fd = fileno(t->in), .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
    struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    if (!resized && !stopped && !interrupted && !ended)
        ppoll(fds, wake_fd >= 0 ? 2 : 1, &limit, &t->before);
    if (ended)
        return DISPLAY_QUIT;
    if (take_flag(&resized)) {
        take_size(t);
        return DISPLAY_RESIZE;
    }
    if (take_flag(&stopped))
        return DISPLAY_STOP;
    if (take_flag(&interrupted)) {
        *key = K_CTRL('c');
        return DISPLAY_KEY;
    }
    if (fds[0].revents & POLLIN) {
        *key = read_key();
        if (*key != K_NONE)
            return key_event(*key);
        /* Readable with nothing to read, or so far gone that it cannot be asked: the end of the keyboard. Its signal
         * may never come through, for ppoll prefers what is ready. */
        int waiting = 0;
        if ((fds[0].revents & (POLLHUP | POLLERR)) && (ioctl(fileno(t->in), FIONREAD, &waiting) || waiting == 0))
            return DISPLAY_QUIT;
    } else if (fds[0].revents & (POLLHUP | POLLERR)) {
        return DISPLAY_QUIT;
    }
    return wake_fd >= 0 && fds[1].revents ? DISPLAY_WAKE : DISPLAY_TICK;
}

/* ---- drawing ---- */

static attr_t attributes(unsigned look)
{
    attr_t a = A_NORMAL;
    if (look & LOOK_BOLD)
        a |= A_BOLD;
    if (look & LOOK_DIM)
        a |= A_DIM;
    if (look & LOOK_REVERSE)
        a |= A_REVERSE;
    if (look & LOOK_UNDERLINE)
        a |= A_UNDERLINE;
    return a;
}

void display_show(struct display *t, const struct surface *s, int cursor_y, int cursor_x)
{
    int height = s->height < t->height ? s->height : t->height, width = s->width < t->width ? s->width : t->width;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const struct surface_cell *c = &s->cells[(size_t)y * (size_t)s->width + (size_t)x];
            if (c->code[0] == 0)
                continue; /* the right half of a wide character */
            wchar_t text[CELL_CODES + 1] = {0};
            for (int i = 0; i < CELL_CODES; i++)
                text[i] = (wchar_t)c->code[i];
            cchar_t glyph;
            if (setcchar(&glyph, text, attributes(c->look), t->color ? (short)(c->look & INK_MASK) : 0, NULL) == OK)
                mvadd_wch(y, x, &glyph);
        }
    curs_set(cursor_y >= 0);
    if (cursor_y >= 0)
        move(cursor_y, cursor_x);
    refresh();
}

void display_repaint(struct display *t)
{
    (void)t;
    clearok(curscr, TRUE);
}

void display_suspend(struct display *t)
{
    endwin();
    struct sigaction normal = {.sa_handler = SIG_DFL}, ours;
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigaction(SIGTSTP, &normal, &ours);
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
    kill(0, SIGTSTP); /* the whole group, as the terminal driver does; we go on here after SIGCONT */
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    sigaction(SIGTSTP, &ours, NULL);
    take_size(t);
    display_repaint(t);
}
