/* `compare`: which model wins, by how much, and whether that can be chance. */
#include "commands/compare.h"
#include "commands/families.h"
#include "commands/leak.h"

static enum status run_compare(struct workbench *wb, const struct call *call, struct result *out, struct error *err)
{
    struct compare c;
    enum status st = compare_open(wb, call, &c, out, err);
    if (!st) {
        compare_put_leaderboard(&c, out);
        compare_put_cold(&c, out);
        compare_put_segments(&c, out);
        compare_put_goods(&c, out);
        st = compare_put_users(&c, (size_t)call_int(call, "worst"), out, err);
    }
    if (!st)
        st = compare_put_checks(&c, call, out, err);
    if (!st)
        st = compare_say_claims(&c, out, err);
    if (!st)
        st = compare_say_how(&c, out, err);
    if (!st)
        compare_say_limits(&c, out);
    compare_close(&c);
    return st;
}

static const struct argument compare_args[] = {
    {.name = "METRIC", .type = ARG_METRIC, .optional = true, .repeated = true, .doc = "more metrics: recall@20 mrr@10"},
};

static const struct param compare_options[] = {
    {.name = "metric",
     .type = PARAM_METRIC,
     .doc = "what decides; more behind it as words: metric=ndcg@20 recall@20; all there are when left out"},
    {.name = "k",
     .type = PARAM_INT,
     .initial = "10",
     .min = 1,
     .max = METRIC_K_MAX,
     .doc = "length of the lists of metrics without @"},
    {.name = "baseline",
     .type = PARAM_MODEL,
     .doc = "the model that all others are compared with; the best one when left out"},
    {.name = "by",
     .type = PARAM_SEGMENTS,
     .doc = "for whom: " COHORTS_BY_USERS "; for which items: " COHORTS_BY_ITEMS "; several: by=gender,taste"},
    {.name = "worst",
     .type = PARAM_INT,
     .initial = "0",
     .min = 0,
     .max = 1000000,
     .doc = "so many users who lose most by the first model instead of the second, and as many who win"},
    {.name = "check",
     .type = PARAM_TEXT,
     .doc = "does it hold? sampled, seed, placebo, future, several with commas, or all; all but the first train the "
            "models again"},
    {.name = "seeds",
     .type = PARAM_INT,
     .initial = "3",
     .min = 1,
     .max = 1000,
     .doc = "check=seed: so many other seeds"},
    {.name = "test",
     .type = PARAM_ENUM,
     .initial = "randomization",
     .choices = "randomization|t|wilcoxon",
     .doc = "what p is: the means by swapping models user by user, the means by Student's t, or signed ranks"},
    {.name = "adjust",
     .type = PARAM_ENUM,
     .initial = "holm",
     .choices = "holm|bh|none",
     .doc = "p for several models or segments: the chance of any false claim (Holm), or the share of false ones "
            "(Benjamini and Hochberg)"},
    {.name = "on",
     .type = PARAM_ENUM,
     .initial = "test",
     .choices = "test|valid",
     .doc = "the part that judges; left out, valid once `tune` has searched by the validation part of the split"},
    {.name = "history",
     .type = PARAM_ENUM,
     .initial = "fixed",
     .choices = "fixed|rolling",
     .doc = "rolling folds in a user's events before each test event"},
    {.name = "among",
     .type = PARAM_TEXT,
     .doc = "what is ranked, where that is not all items: a number of items drawn for each user, beside the right "
            "ones, or lists that were imported"},
    {.name = "seen",
     .type = PARAM_ENUM,
     .choices = "hide|show",
     .doc = "items of the history in the lists; the setting `seen` when left out"},
    OPTION_LEAK,
};

static const struct command rows[] = {
    {.name = "compare",
     .group = "learn",
     .summary = "judge models on the test part: a leaderboard with intervals",
     .arguments = compare_args,
     .narguments = 1,
     .options = compare_options,
     .noptions = sizeof compare_options / sizeof *compare_options,
     .flags = COMMAND_NEEDS_DATA | COMMAND_WITH | COMMAND_SEVERAL | COMMAND_PRESENT,
     .help = "Every model ranks all items for every user of the test part. Metrics are cut at a rank: ndcg@20; `help "
             "metrics` lists them. People see the common ones, programs all but auc, which asks the models once more. "
             "Models that predict ratings (bias, svd, svdpp, knnbaseline, slopeone) are also judged by rmse and mae "
             "over all ratings of the part, user_rmse and user_mae user by user; others have none. The first metric "
             "orders the table.\n"
             "low and high hold 95 % of the means over users drawn anew (bootstrap, 1,000 times, corrected for bias "
             "and skew: BCa). Models are compared with the best one, or with baseline=, over the same users: to_best "
             "is the distance to it, effect that distance in standard deviations of users' differences (Cohen's d_z), "
             "and p says how often a distance like that comes up when the two models are swapped at random, user by "
             "user (20,000 times, up to 320,000 where that happens rarely; all ways for up to 20 users; a proved bound "
             "where no number of swaps would say less). p is adjusted for the number of tests, intervals are not; "
             "against the best, which the same values have chosen, for all pairs of models. What is said below the "
             "tables is what holds after that at p < .05: of the first two, and of the segments that contradict it: "
             "those of by=, else by length of history and attributes of users.\n"
             "by= shows segments of users: the means of all models, and the difference of the first two (of the first "
             "and the baseline) with its interval. They are the same wherever by= tells users apart: history_length "
             "counts the events of the history; recency goes by the time since the last of them; taste is niche, mixed "
             "or mainstream, by the share of the history that is among the most popular fifth of the items; cold users "
             "have no history; texts have a segment each (the most frequent 20), numbers too when they are at most 8, "
             "else fifths of the users. By an attribute of items (of a name that users have too: item.NAME), or by "
             "popularity (head, mid, tail), it shows for which items a model is better: the recall of each user among "
             "the right items of the group, over the users who have some. worst=10 lists the users whose metric "
             "differs most between these two: `user ID` shows one.\n"
             "check= asks whether all this holds: sampled tells whether the order of models would be another by "
             "metrics among 100 sampled items; seed trains with other seeds and sets the lead against what they "
             "change; placebo deals the known items out anew among the users, after which nobody's future can be known "
             "better than that of another user with as long a history; future changes every event outside the train "
             "part, which must not change one list.\n"
             "among=100 ranks the right items among so many that are drawn for each user (each event, with "
             "history=rolling) from those they have not seen, as many papers do; the order of models can be another "
             "than among all items. among=prod ranks the items that lists hold which were imported as prod, for each "
             "user those of the latest one: who puts on top what was taken of what was shown? What the lists do not "
             "hold is not asked for then; equal scores stand as in the lists.\n"
             "Means are over users with a history; cold ones stand apart. Items seen before are neither recommended "
             "nor asked for, unless seen=show; where the split has a target, seen is what had an event of that type. "
             "Only models trained on the train part of the present split are compared.",
     .examples =
         (const char *const[]){"compare", "compare with ease pop", "compare metric=ndcg@5 recall@5",
                               "compare k=5 history=rolling", "compare rmse mae",
                               "compare with itemknn pop by=history_length", "compare with itemknn pop by=category",
                               "compare baseline=pop test=wilcoxon adjust=bh", "compare worst=3",
                               "compare with itemknn pop check=all", "compare hit@10 with itemknn pop among=100", NULL},
     .run = run_compare},
};

const struct command_family compare_commands = {rows, sizeof rows / sizeof *rows};
