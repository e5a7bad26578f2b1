#include "features/filter.h"

#include "base/mem.h"
#include "base/parallel.h"
#include "data/subset.h"
#include "features/condition.h"

struct filtering {
    const struct condition *condition;
    struct job *job;
    uint8_t *keep;
};

static void judge(void *context, size_t block, size_t begin, size_t end)
{
    const struct filtering *f = context;
    (void)block;
    if (job_cancelled(f->job))
        return;
    for (size_t e = begin; e < end; e++)
        f->keep[e] = condition_holds(f->condition, e);
}

enum status filter_events(const struct dataset *d, const char *condition, struct job *job, struct dataset **out,
                          struct error *err)
{
    enum { BLOCK = 1 << 16 };
    struct condition *c = NULL;
    enum status st = condition_read(condition, d, &c, err);
    if (st)
        return st;
    struct filtering f = {c, job, mem_new_raw(d->events.n, 1, "a choice of events", err)};
    if (!f.keep) {
        st = ST_NOMEM;
        goto out;
    }
    parallel_blocks(d->events.n, BLOCK, judge, &f);
    st = job_check(job, err);
    if (!st)
        st = dataset_subset(d, f.keep, COLD_STAY, job, out, err);
out:
    mem_free(f.keep);
    condition_free(c);
    return st;
}
