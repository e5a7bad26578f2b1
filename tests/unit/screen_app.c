/* The screen without a terminal: keys in, cells out. Pictures are compared with tests/screen/NAME.txt; run with
 * UPDATE=1 to write them anew, and look at the difference. */
#include "tests/unit/unit.h"

#include <locale.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "screen/leaderboard.h"
#include "screen/view_compare.h"
#include "screen/view_user.h"
#include "tests/unit/memory.h"
#include "tests/unit/screen_stage.h"

/* ---- pictures ---- */

static void every_view_has_its_picture(void **state)
{
    (void)state;
    static const struct {
        const char *name, *view, *keys;
        int height, width;
        bool ascii;
    } pictures[] = {
        {"data-80x24", "data", "", 24, 80, false},
        {"data-120x40", "data", "j]", 40, 120, false},
        {"data-ascii", "data", "", 24, 80, true},
        {"models-80x24", "models", "", 24, 80, false},
        {"models-120x40", "models", "G", 40, 120, false},
        {"models-ascii", "models", "j", 24, 80, true},
        {"compare-80x24", "compare", "j", 24, 80, false},
        {"compare-120x40", "compare", "<Tab>j", 40, 120, false},
        {"compare-ascii", "compare", "jb", 24, 80, true},
        {"compare-low", "compare", "<Tab><Tab>", 12, 60, false},
        {"compare-items", "compare", "<Tab>SSS", 24, 80, false},
        {"user-80x24", "user", "", 24, 80, false},
        {"user-120x40", "user", "<Space><Tab><Tab><Tab>j", 40, 120, false},
        {"user-earlier", "user", "<lt><Tab>", 24, 80, false},
        {"user-ascii", "user", "<Space><Tab><Tab>", 24, 80, true},
        {"user-zoomed", "user", "<Tab><Tab><Tab><Enter>", 24, 80, false},
        {"user-low", "user", "", 10, 60, false},
        {"too-small", "user", "", 5, 39, false},
        {"help", "user", "?", 24, 80, false},
        {"palette", "data", "<C-p>model", 24, 80, false},
        {"train", "models", "tease<Enter>5<Down>", 24, 80, false},
        {"error", "data", ":split time soon<Enter>", 24, 80, false},
        {"result", "user", ":models<Enter>", 24, 80, false},
    };
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        struct stage s = stage_open(trained, pictures[i].view, pictures[i].ascii);
        assert_int_equal(app_resize(s.app, pictures[i].height, pictures[i].width, NULL), ST_OK);
        press(&s, pictures[i].keys);
        assert_picture(&s, pictures[i].name);
        stage_close(&s);
    }
}

/* The why pane of an ensemble: what its models add, or which one a switch asked. */
static void ensembles_name_their_models(void **state)
{
    (void)state;
    static const char *const lines[] = {"split last 1", "train pop ease lambda=1", "train blend with ease pop weights=3,1 as mix",
                                        "train fuse with ease pop as rrf", "train switch with pop ease from=3", "use mix switch rrf", NULL};
    struct stage s = stage_open(lines, "user", false);
    assert_int_equal(app_resize(s.app, 40, 120, NULL), ST_OK);
    press(&s, "<Tab>");
    assert_picture(&s, "user-ensemble");
    press(&s, "<Tab>");
    assert_true(shows(&s, "has 3 items in the history, so ease answers."));
    press(&s, "<Tab>");
    assert_true(shows(&s, "Recommended mostly because pop has it 1st; of the history Two-person tent speaks for it most."));
    assert_true(shows(&s, "by its models: ease 2nd") && shows(&s, "an approximation"));
    stage_close(&s);
}

/* A served list is a model among the others: compared, and a column beside theirs. */
static void a_served_list_has_its_picture(void **state)
{
    (void)state;
    static const char *const lines[] = {"split last 1", "train itemknn pop", "import tiny/served.csv as prod", "use prod itemknn", NULL};
    struct stage s = stage_open(lines, "user", false);
    assert_int_equal(app_resize(s.app, 30, 100, NULL), ST_OK);
    press(&s, "<Tab>");
    assert_picture(&s, "user-served");
    press(&s, "3");
    assert_picture(&s, "compare-served");
    stage_close(&s);
}

static void nothing_is_there_yet(void **state)
{
    (void)state;
    struct stage s = stage_open(NULL, NULL, false);
    assert_true(shows(&s, "load shop"));
    press(&s, "2");
    assert_true(shows(&s, "No data yet"));
    press(&s, "3bmsp<Tab><Enter>");
    assert_true(shows(&s, "No data yet"));
    press(&s, "2t4<Space><Tab>jaulz/&");
    assert_true(shows(&s, "No data yet"));
    stage_close(&s);
    s = stage_open(loaded, NULL, false);
    assert_true(shows(&s, "[2 Models]"));
    assert_true(shows(&s, "split the data first"));
    press(&s, "3");
    assert_true(shows(&s, "split last 1"));
    press(&s, "4j<Space>");
    assert_true(shows(&s, "No model is trained yet"));
    assert_true(shows(&s, "whatif "));
    stage_close(&s);
}

/* ---- the User view ---- */

static void a_switch_is_named_and_undone(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    press(&s, ":user ana<Enter>");
    assert_true(shows(&s, "user ana"));
    assert_true(shows(&s, "[x] Camping stove"));
    press(&s, "<Space>");
    assert_true(shows(&s, "[ ] Camping stove"));
    assert_true(shows(&s, "whatif ana remove id:stove"));
    assert_true(shows(&s, "new")); /* what was taken out may be recommended */
    press(&s, "j<Space>");
    assert_true(shows(&s, "whatif ana remove id:stove id:bag"));
    press(&s, "z");
    assert_true(hides(&s, "id:bag"));
    press(&s, "r");
    assert_true(hides(&s, "id:stove"));
    assert_true(shows(&s, "[x] Camping stove"));
    press(&s, "apan<Enter>");
    assert_true(shows(&s, "[+]"));
    assert_true(shows(&s, "whatif ana add id:pan"));
    press(&s, "z");
    assert_true(hides(&s, "add id:pan"));
    stage_close(&s);
}

static void a_recommended_item_can_be_taken_into_the_history(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    press(&s, ":user ana<Enter><Tab><Tab><Space>");
    struct user_view *v = app_view_state(s.app, "user");
    assert_true(v->bench.items[0].added);
    for (size_t l = 0; l < v->bench.nlists; l++) /* and is in no list any more */
        assert_int_equal(rank_of(v->bench.lists[l].scores, v->bench.data->items.n, v->bench.items[0].item), 0);
    stage_close(&s);
}

/* Every list after a switch, against the ranking room asked with a history made by hand. */
static void lists_are_those_of_the_changed_history(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    press(&s, ":user chloe<Enter><Space>acookbook<Enter>");
    struct user_view *v = app_view_state(s.app, "user");
    struct bench *b = &v->bench;
    uint32_t cookbook = dict_find_text(&b->data->items, "cookbook"), removed = NO_ITEM;
    for (size_t i = 0; i < b->nitems; i++)
        if (!b->items[i].on)
            removed = b->items[i].item;
    assert_int_not_equal(removed, NO_ITEM);
    struct selection all = {.data = b->data, .until = NO_TIME};
    struct history h = {0};
    assert_int_equal(history_of_user(&all, dict_find_text(&b->data->users, "chloe"), &h, NULL), ST_OK);
    assert_true(history_remove(&h, removed) > 0);
    assert_int_equal(history_add(&h, b->data, cookbook, NULL), ST_OK);
    struct query q = history_query(&h);
    assert_int_equal(b->nlists, 3);
    for (size_t l = 0; l < b->nlists; l++) {
        struct ranked_list list;
        assert_int_equal(rank_list(b->lists[l].model, &q, BENCH_DEPTH, SEEN_HIDE, &list, NULL), ST_OK);
        assert_int_equal(b->lists[l].n, list.n);
        for (size_t i = 0; i < list.n; i++) {
            assert_int_equal(b->lists[l].top[i].index, list.entries[i].item);
            assert_memory_equal(&b->lists[l].top[i].score, &list.entries[i].score, sizeof(float));
        }
        ranked_list_clear(&list);
    }
    history_clear(&h);
    stage_close(&s);
}

static void contributions_stand_beside_the_history(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    press(&s, ":user ana<Enter><Tab><Tab><Tab>");
    struct user_view *v = app_view_state(s.app, "user");
    double sum = v->why.base;
    for (size_t i = 0; i < v->bench.nitems; i++)
        sum += isnan(v->bench.items[i].part) ? 0 : v->bench.items[i].part;
    assert_near(sum, (double)v->why.score, 1e-5);
    assert_true(shows(&s, "why ana id:"));
    press(&s, "[");
    assert_true(shows(&s, "history by part"));
    for (size_t i = 1; i < v->bench.nitems; i++)
        assert_true(!(v->bench.items[v->shown[i - 1]].part < v->bench.items[v->shown[i]].part));
    stage_close(&s);
}

static void time_is_moved_through_the_history(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    press(&s, ":user ana<Enter>");
    struct user_view *v = app_view_state(s.app, "user");
    struct bench *b = &v->bench;
    size_t whole = b->whole.n;
    int64_t newest = b->whole.events[whole - 1].time;
    press(&s, "<lt>");
    assert_true(b->at == newest);
    assert_true(b->truth.n < whole);
    assert_true(shows(&s, "recommend ana at="));
    assert_true(shows(&s, "events, before 20"));
    assert_true(b->items[0].later);
    struct selection some = {.data = b->data, .until = b->at};
    struct history h = {0};
    assert_int_equal(history_of_user(&some, dict_find_text(&b->data->users, "ana"), &h, NULL), ST_OK);
    struct query q = history_query(&h);
    for (size_t l = 0; l < b->nlists; l++) {
        struct ranked_list list;
        assert_int_equal(rank_list(b->lists[l].model, &q, BENCH_DEPTH, SEEN_HIDE, &list, NULL), ST_OK);
        assert_int_equal(b->lists[l].n, list.n);
        for (size_t i = 0; i < list.n; i++)
            assert_int_equal(b->lists[l].top[i].index, list.entries[i].item);
        ranked_list_clear(&list);
    }
    history_clear(&h);
    press(&s, "<Space>"); /* on one that comes later */
    assert_true(shows(&s, "comes later"));
    assert_false(bench_touched(b));
    press(&s, "G<Space>");
    assert_true(shows(&s, "remove"));
    assert_true(shows(&s, " at="));
    press(&s, "<lt><lt><lt><lt><lt><lt>");
    assert_int_equal(b->truth.n, 0);
    assert_true(shows(&s, "nothing happened before"));
    press(&s, ">>>>>>>");
    assert_true(b->at == NO_TIME);
    assert_int_equal(b->truth.n, whole);
    assert_true(shows(&s, "this is the present"));
    stage_close(&s);
}

/* Where only the order of events is known, it is gone back item by item: the lists are those without what came last. */
static void order_is_moved_through_too(void **state)
{
    (void)state;
    char path[] = "/tmp/tailor-order-XXXXXX.csv", line[64];
    int fd = mkstemps(path, 4);
    static const char rows[] = "user,item\nana,tent\nana,stove\nana,tent\nana,pan\nben,tent\nben,boots\ncleo,boots\ncleo,pan\n";
    assert_true(fd >= 0 && write(fd, rows, sizeof rows - 1) == sizeof rows - 1 && close(fd) == 0);
    struct stage s = stage_open(NULL, NULL, false);
    snprintf(line, sizeof line, ":load %s as order<Enter>", path);
    press(&s, line);
    press(&s, ":train pop itemknn<Enter><Esc>4");
    press(&s, ":user ana<Enter>");
    struct bench *b = &((struct user_view *)app_view_state(s.app, "user"))->bench;
    press(&s, ">");
    assert_true(shows(&s, "this is the present"));
    press(&s, "<lt>");
    assert_true(shows(&s, "the first 3 of 4 events"));
    assert_true(shows(&s, "whatif ana remove id:pan"));
    struct query q = {.events = b->whole.events, .n = 3, .user = b->user, .as_of = NO_TIME, .hides = b->whole.hides};
    for (size_t l = 0; l < b->nlists; l++) {
        struct ranked_list list;
        assert_int_equal(rank_list(b->lists[l].model, &q, BENCH_DEPTH, SEEN_HIDE, &list, NULL), ST_OK);
        assert_int_equal(b->lists[l].n, list.n);
        for (size_t i = 0; i < list.n; i++)
            assert_int_equal(b->lists[l].top[i].index, list.entries[i].item);
        ranked_list_clear(&list);
    }
    press(&s, "<lt>"); /* tent came last of what is left: both times */
    assert_true(shows(&s, "the first 1 of 4 events"));
    assert_true(shows(&s, "remove id:pan id:tent"));
    press(&s, "<lt><lt>");
    assert_int_equal(b->truth.n, 0);
    assert_true(shows(&s, "nothing happened before"));
    press(&s, ">>>");
    assert_int_equal(b->truth.n, 4);
    assert_false(bench_is_earlier(b));
    press(&s, "<lt>:user ben<Enter>:user ana<Enter>");
    assert_true(shows(&s, "the first 3 of 4 events")); /* as it was left */
    stage_close(&s);
    assert_int_equal(unlink(path), 0);
}

/* Who comes back finds what was switched, what was put in and the moment as they were left; a model that is trained changes nothing. */
static void switches_are_kept(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    press(&s, ":user ana<Enter><lt>j<Space>apan<Enter>");
    struct bench *b = &((struct user_view *)app_view_state(s.app, "user"))->bench;
    struct str left = {0}, found = {0};
    bench_command(b, &left);
    assert_non_null(strstr(str_text(&left), " add id:pan at=2025"));
    float score = b->lists[0].top[0].score;
    press(&s, ":user ben<Enter>");
    assert_false(bench_touched(b) || bench_is_earlier(b));
    press(&s, ":user ana<Enter>");
    assert_true(shows(&s, "as it was left"));
    bench_command(b, &found);
    assert_string_equal(str_text(&left), str_text(&found));
    assert_true(b->lists[0].top[0].score == score);
    press(&s, ":train random<Enter>");
    str_clear(&found);
    bench_command(b, &found);
    assert_string_equal(str_text(&left), str_text(&found));
    press(&s, "<Esc>4r>>>>:user ben<Enter>:user ana<Enter>"); /* put back: nothing to keep */
    assert_false(bench_touched(b) || bench_is_earlier(b));
    str_free(&left);
    str_free(&found);
    stage_close(&s);
}

static size_t place_of(const struct bench *b, size_t list, uint32_t item)
{
    return rank_of(b->lists[list].scores, b->data->items.n, item);
}

static void sets_that_were_found_are_applied_and_undone(void **state)
{
    (void)state;
    struct stage s = stage_open(NULL, NULL, false);
    run(s.wb, "load shop");
    run(s.wb, "train ease");
    press(&s, "4");
    struct user_view *v = app_view_state(s.app, "user");
    struct bench *b = &v->bench;
    assert_true(b->nitems > 1 && b->nlists == 1);
    press(&s, "<Tab>m"); /* what holds the first item in the list */
    assert_true(shows(&s, "minimal=yes"));
    uint32_t first = v->question.item;
    size_t n = v->question.minimal.removed.n;
    assert_true(v->question.minimal.removed.found);
    press(&s, "o");
    assert_true(place_of(b, 0, first) == 0 || place_of(b, 0, first) > USER_QUESTION_K);
    while (n--)
        press(&s, "z");
    assert_false(bench_touched(b));
    assert_int_equal(place_of(b, 0, first), 1);
    uint32_t missing = b->lists[0].top[12].index; /* and what brings the 13th in */
    press(&s, "n");
    for (const char *p = dataset_item_title(b->data, missing); *p; p++)
        app_key(s.app, *p);
    press(&s, "<Enter>");
    assert_int_equal(v->question.item, missing);
    assert_int_equal(v->question.whynot.rank, 13);
    assert_true(shows(&s, "13th of"));
    assert_true(shows(&s, "is not among the first 10 by"));
    char quoted[64];
    const char *added = dataset_item_title(b->data, v->question.whynot.adding.items[0]);
    snprintf(quoted, sizeof quoted, "\"%.*s", (int)strcspn(added, " "), added); /* titles have commas in them */
    assert_true(shows(&s, quoted));
    assert_non_null(user_question_set(&v->question, true));
    size_t promised = v->question.whynot.adding.rank;
    press(&s, "i");
    assert_int_equal(place_of(b, 0, missing), promised);
    assert_true(promised <= USER_QUESTION_K);
    stage_close(&s);
}

/* ---- the Compare view ---- */

static const struct comparison *compared(struct stage *s)
{
    struct compare_view *v = app_view_state(s->app, "compare");
    assert_non_null(v->shown);
    return &v->shown->comparison;
}

static void models_are_compared_with_the_chosen_one(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "compare", false);
    press(&s, "");
    assert_int_equal(compared(&s)->n, 3);
    assert_true(compared(&s)->best);
    assert_true(shows(&s, "the best"));
    press(&s, "Gb");
    assert_true(shows(&s, "compare baseline=pop"));
    assert_false(compared(&s)->best);
    assert_string_equal(compared(&s)->entries[compared(&s)->reference].name, "pop");
    press(&s, "b"); /* on the baseline itself */
    assert_true(compared(&s)->best);
    press(&s, "mrecall@3<Enter>");
    assert_true(shows(&s, "compare metric=recall@3"));
    assert_string_equal(compared(&s)->measures[0].at.name, "recall@3");
    press(&s, "p");
    assert_true(shows(&s, "no validation part"));
    stage_close(&s);
}

/* The numbers of segments, users and words are those of the command with the same words. */
static void what_is_shown_is_what_the_command_says(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "compare", false);
    press(&s, "Gs");
    struct compare_view *v = app_view_state(s.app, "compare");
    char by[COMPARE_BY];
    for (memcpy(by, v->by, sizeof by); strcmp(v->by, "country") != 0;) {
        press(&s, "s");
        assert_string_not_equal(v->by, by);
    }
    assert_true(shows(&s, "by=country"));
    struct call *call;
    struct compare c;
    struct error err;
    struct result *notes = result_new(NULL);
    assert_int_equal(call_parse(s.wb, "compare by=country baseline=itemknn", false, &call, &err), ST_OK);
    assert_int_equal(compare_open(s.wb, call, &c, notes, &err), ST_OK);
    assert_string_equal(compared(&s)->entries[v->pair.x].name, "pop");
    assert_string_equal(compared(&s)->entries[v->pair.y].name, "itemknn");
    assert_int_equal(c.segments[0].n, v->segments.cohorts.n);
    for (size_t i = 0; i < c.segments[0].n; i++) {
        const struct cohort *mine = &v->segments.cohorts.list[i], *its = &c.segments[0].list[i];
        size_t pop = 0, knn = 0;
        struct difference d;
        for (size_t e = 0; e < c.comparison.n; e++) {
            pop = strcmp(c.comparison.entries[e].name, "pop") == 0 ? e : pop;
            knn = strcmp(c.comparison.entries[e].name, "itemknn") == 0 ? e : knn;
        }
        assert_string_equal(mine->name, its->name);
        assert_int_equal(comparison_difference(&c.comparison, pop, knn, its->users, its->n, &d, &err), ST_OK);
        assert_true(d.users == v->segments.differences[i].users);
        assert_near(d.value, v->segments.differences[i].value, 0);
    }
    for (size_t i = 1; i < v->nlisted; i++) { /* who loses most first */
        double before = comparison_user(compared(&s), v->pair.x, v->listed[i - 1]) - comparison_user(compared(&s), v->pair.y, v->listed[i - 1]);
        double here = comparison_user(compared(&s), v->pair.x, v->listed[i]) - comparison_user(compared(&s), v->pair.y, v->listed[i]);
        assert_true(before <= here);
    }
    call_free(call);
    compare_close(&c);
    result_free(notes);
    stage_close(&s);
}

static void a_user_is_seen_with_the_two_models_first(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "compare", false);
    widen(&s);
    press(&s, "G<Tab><Tab>j");
    struct compare_view *v = app_view_state(s.app, "compare");
    uint32_t user = v->shown->comparison.user[v->listed[1]];
    press(&s, "<Enter>");
    assert_true(shows(&s, "[4 User]"));
    assert_true(shows(&s, "Compare › User"));
    struct user_view *u = app_view_state(s.app, "user");
    assert_int_equal(u->user, user);
    assert_string_equal(u->bench.lists[0].model->name, "pop");
    assert_string_equal(u->bench.lists[1].model->name, "itemknn");
    press(&s, "q");
    assert_true(shows(&s, "[3 Compare]"));
    assert_int_equal(v->rows[PANE_USERS].cursor, 1); /* as it was left */
    stage_close(&s);
}

static void a_segment_holds_its_users_alone(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "compare", false);
    press(&s, "<Tab>");
    struct compare_view *v = app_view_state(s.app, "compare");
    assert_true(v->segments.cohorts.n > 0);
    press(&s, "<Enter>");
    assert_int_equal(v->nlisted, v->segments.cohorts.list[0].n);
    assert_true(shows(&s, "users with history_length"));
    press(&s, "q");
    assert_int_equal(v->pane, PANE_SEGMENTS);
    press(&s, "h");
    assert_int_equal(v->nlisted, v->pair.n);
    stage_close(&s);
}

static void models_that_came_later_are_compared_too(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "compare", false);
    press(&s, "j:train random<Enter>");
    assert_int_equal(compared(&s)->n, 4);
    press(&s, ":drop ease<Enter>");
    assert_int_equal(compared(&s)->n, 3);
    press(&s, ":split last 2<Enter><Esc>"); /* and now nobody was trained on it */
    assert_true(shows(&s, "compare"));
    stage_close(&s);
}

static void models_out_of_sight_are_counted(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "compare", false);
    press(&s, "g");
    assert_true(hides(&s, "1 of 3"));
    press(&s, ":train random userknn slim rp3beta p3alpha gfcf puresvd turbocf contentknn<Enter><Esc>");
    assert_int_equal(compared(&s)->n, 12);
    press(&s, "g");
    assert_true(shows(&s, "1 of 12  test part"));
    press(&s, "G");
    assert_true(shows(&s, "12 of 12  test part"));
    assert_true(shows(&s, compared(&s)->entries[11].name));
    stage_close(&s);
}

/* ---- moving about ---- */

static void going_back_finds_everything_as_it_was(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "data", false);
    press(&s, "&click<Enter>jj<Right>]");
    assert_true(shows(&s, "filtered"));
    press(&s, "<Enter>");
    assert_true(shows(&s, "[4 User]"));
    assert_true(shows(&s, "Data › User"));
    press(&s, "<Tab>?<Esc>q");
    assert_true(shows(&s, "[1 Data]"));
    assert_true(shows(&s, "filtered"));
    assert_true(shows(&s, "▼"));
    press(&s, "<Esc>");
    assert_true(hides(&s, "filtered"));
    press(&s, "Q");
    assert_true(app_done(s.app));
    stage_close(&s);
}

static void any_size_at_any_moment(void **state)
{
    (void)state;
    static const char *const keys[] = {"", "?", "<Esc><C-p>", "<Esc>:mod", "<Esc>2t", "<Enter>", "<Esc>3", "<Tab>", "<Tab>", "m", "<Esc>4u", "<Esc>a", "<Esc>:models<Enter>", ":nonsense<Enter>", "1"};
    struct stage s = stage_open(trained, "user", false);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        press(&s, keys[k]);
        for (int height = 1; height < 50; height += height < 12 ? 1 : 7)
            for (int width = 1; width < 200; width += width < 12 ? 3 : 13) {
                int y, x;
                assert_int_equal(app_resize(s.app, height, width, NULL), ST_OK);
                app_draw(s.app, &y, &x);
            }
    }
    assert_int_equal(app_resize(s.app, 24, 80, NULL), ST_OK);
    press(&s, "<Esc><Esc>1");
    assert_true(shows(&s, "[1 Data]"));
    stage_close(&s);
}

static void the_command_line_completes_and_explains(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "data", false);
    press(&s, ":comp<Tab>");
    assert_true(shows(&s, ":compare "));
    press(&s, "<C-u>mode<Tab><Enter>");
    assert_true(shows(&s, "itemknn"));
    press(&s, "<Esc>:<Up>");
    assert_true(shows(&s, ":models"));
    press(&s, "<C-c>");
    assert_true(hides(&s, ":models"));
    press(&s, ":user nobody<Enter>");
    assert_true(shows(&s, "it did not work"));
    assert_true(shows(&s, "nobody"));
    press(&s, "j");
    assert_true(hides(&s, "it did not work"));
    press(&s, "<C-p>similar<Enter>");
    assert_true(shows(&s, ":similar "));
    stage_close(&s);
}

static void the_audit_gives_a_grade(void **state)
{
    (void)state;
    struct stage s = stage_open(loaded, "data", false);
    assert_true(hides(&s, "grade"));
    press(&s, "a");
    assert_true(shows(&s, "without an earlier view of the item by the")); /* the whole of what the grid cuts */
    press(&s, "<Esc>");
    assert_true(shows(&s, "tiny  grade A  2025-05-01"));
    stage_close(&s);
}

static void wide_cells_far_down_are_whole(void **state)
{
    (void)state;
    struct stage s = stage_open(loaded, "data", false);
    press(&s, ":with recursive n(x) as (select 1 union all select x + 1 from n limit 6000) select x from n<Enter>G");
    assert_true(shows(&s, "5999"));
    stage_close(&s);
}

static void training_runs_from_the_menu(void **state)
{
    (void)state;
    struct stage s = stage_open(loaded, "models", false);
    press(&s, "s<Enter><Esc>"); /* split last 1 */
    assert_true(shows(&s, "last 1 per user"));
    press(&s, "tease<Enter>abc<Enter>"); /* no number: it stays open and says so */
    assert_true(shows(&s, "lambda"));
    assert_int_equal(s.wb->nmodels, 0);
    press(&s, "<C-u>2<Enter>");
    assert_int_equal(s.wb->nmodels, 1);
    assert_true(fabs(model_real(s.wb->models[0], "lambda") - 2) < 1e-9);
    assert_true(shows(&s, "ndcg@")); /* judged of its own accord */
    stage_close(&s);
}

static void a_view_can_be_written_as_text(void **state)
{
    (void)state;
    char path[] = "/tmp/tailor-screen-XXXXXX", *text;
    size_t n;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct stage s = stage_open(trained, "user", false);
    press(&s, "D<C-u>");
    for (const char *p = path; *p; p++)
        app_key(s.app, *p);
    press(&s, "<Enter>");
    assert_true(shows(&s, "written to"));
    assert_int_equal(file_read(path, 1 << 20, &text, &n, NULL), ST_OK);
    assert_null(memmem(text, n, "│", 3));
    assert_null(memmem(text, n, "─", 3));
    assert_non_null(memmem(text, n, "history", 7));
    mem_free(text);
    unlink(path);
    stage_close(&s);
}

/* ---- memory ---- */

/* The n-th allocation fails, for many n: the screen says so or goes without, and goes on. */
static void lost_memory_is_survived(void **state)
{
    (void)state;
    struct stage s = stage_open(trained, "user", false);
    for (long n = 0; n < 399; n += n < 99 ? 1 : 7) {
        atomic_long left = n;
        mem_set_hook(fail_one, &left);
        press(&s, "<Space>j<Tab>jzm<lt>>n<Enter>?<Esc>a<Esc>2t<Esc>3jsb<Tab><Enter><Esc>1&x<BS><Esc>:models<Enter><Esc>4r");
        mem_set_hook(NULL, NULL);
        press(&s, "<Esc><Esc><Esc>4r");
    }
    assert_true(shows(&s, "history"));
    stage_close(&s);
}

int main(void)
{
    setlocale(LC_CTYPE, "");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_has_its_picture),
        cmocka_unit_test(ensembles_name_their_models),
        cmocka_unit_test(a_served_list_has_its_picture),
        cmocka_unit_test(nothing_is_there_yet),
        cmocka_unit_test(a_switch_is_named_and_undone),
        cmocka_unit_test(a_recommended_item_can_be_taken_into_the_history),
        cmocka_unit_test(lists_are_those_of_the_changed_history),
        cmocka_unit_test(contributions_stand_beside_the_history),
        cmocka_unit_test(time_is_moved_through_the_history),
        cmocka_unit_test(order_is_moved_through_too),
        cmocka_unit_test(switches_are_kept),
        cmocka_unit_test(sets_that_were_found_are_applied_and_undone),
        cmocka_unit_test(models_are_compared_with_the_chosen_one),
        cmocka_unit_test(what_is_shown_is_what_the_command_says),
        cmocka_unit_test(a_user_is_seen_with_the_two_models_first),
        cmocka_unit_test(a_segment_holds_its_users_alone),
        cmocka_unit_test(models_that_came_later_are_compared_too),
        cmocka_unit_test(models_out_of_sight_are_counted),
        cmocka_unit_test(going_back_finds_everything_as_it_was),
        cmocka_unit_test(any_size_at_any_moment),
        cmocka_unit_test(the_command_line_completes_and_explains),
        cmocka_unit_test(the_audit_gives_a_grade),
        cmocka_unit_test(wide_cells_far_down_are_whole),
        cmocka_unit_test(training_runs_from_the_menu),
        cmocka_unit_test(a_view_can_be_written_as_text),
        cmocka_unit_test(lost_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
