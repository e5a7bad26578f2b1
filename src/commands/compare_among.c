/* among=: a comparison by lists of some items only, drawn or served, and what must be said of it. */
#include "commands/compare.h"

#include <string.h>

#include "base/text.h"
#include "models/served.h"

/* Questions that only lists of all items answer. */
static enum status check_rest(const struct compare *c, const struct call *call, struct error *err)
{
    if (call_text(call, "check")) {
        error_set(err, ST_USAGE, "check= asks about lists of all items: not together with among=");
        return error_at_option(ST_USAGE, err, call, "check");
    }
    for (size_t i = 0; i < c->comparison.nmeasures; i++)
        if (c->comparison.measures[i].at.metric->needs & NEEDS_PAIRS)
            return error_set(err, ST_USAGE,
                             "%s asks about all items: not together with among=", c->comparison.measures[i].at.name);
    return ST_OK;
}

static enum status no_candidates(const struct call *call, const char *text, bool trained, struct error *err)
{
    if (trained)
        error_set(err, ST_USAGE,
                  "among=%s: a trained model ranks everything; candidates come from lists that were served", text);
    else
        error_set(err, ST_USAGE, "among=%s is neither a number of items from 1 to 100,000 nor lists that were imported",
                  text);
    error_hint(err, "among=100 draws; `import FILE as prod` reads lists, among=prod ranks their items");
    return error_at_option(ST_USAGE, err, call, "among");
}

enum status compare_read_among(struct compare *c, const struct call *call, struct error *err)
{
    enum { MOST = 100000 };
    const char *text = call_text(call, "among");
    int64_t n;
    if (!text)
        return ST_OK;
    enum status st = check_rest(c, call, err);
    if (st)
        return st;
    if (text_parse_int(text, &n) && n >= 1 && n <= MOST) {
        c->judge.drawn = (size_t)n;
        c->judge.protocol.among = candidates_drawn_mark((size_t)n, c->wb->seed);
        return ST_OK;
    }
    c->among = workbench_model(c->wb, text);
    if (!c->among || !model_is_served(c->among))
        return no_candidates(call, text, c->among != NULL, err);
    c->judge.listed = c->among;
    c->judge.protocol.among = candidates_listed_mark(c->among);
    return ST_OK;
}

const char *compare_ranked(const struct compare *c, struct result *out)
{
    char items[32];
    if (c->judge.listed)
        return result_textf(out, "items ranked that %s had listed", c->judge.listed->name);
    size_t n = c->judge.drawn ? c->judge.drawn : c->d->items.n;
    text_count(items, sizeof items, (int64_t)n);
    return result_textf(out, c->judge.drawn ? "right items ranked among %s drawn one%s" : "all %s item%s ranked", items,
                        n == 1 ? "" : "s");
}

enum status compare_say_among(struct compare *c, struct result *out, struct error *err)
{
    char users[32], right[32];
    if (c->judge.drawn)
        result_message(out, MESSAGE_HINT,
                       "ranks among drawn items can put models in another order than ranks among all: without among=, "
                       "check=sampled tells");
    enum status st = c->judge.listed ? judge_questions(&c->judge, err) : ST_OK;
    const struct candidates_left_out *left = &c->judge.left_out;
    if (st || !left->right)
        return st;
    text_count(users, sizeof users, (int64_t)left->users);
    text_count(right, sizeof right, (int64_t)left->right);
    result_message(out, MESSAGE_INFO,
                   "not asked for: %s right item%s that the lists of %s did not hold; %s user%s had nothing else",
                   right, left->right == 1 ? "" : "s", c->judge.listed->name, users, left->users == 1 ? "" : "s");
    return ST_OK;
}
