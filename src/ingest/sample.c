/* Taking a sample of a file: what its columns could be read as, and the levels they have. */
#include "ingest/sample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ingest/number.h"

bool sample_is_moment(const char *text, size_t n, bool number)
{
    int64_t us;
    return time_parse(text, n, 0, &us) && (!number || n == 8 || n >= 9) &&
           (!number || us > INT64_C(315532800) * US_PER_SECOND);
}

/* Dates such as 3/1/2026, and whether they tell which of the two is the month. */
static bool look_at_date(struct look *l, const struct cell *cell)
{
    int64_t us;
    bool day = time_parse_dates(cell->text, cell->n, DATES_DMY, 0, &us),
         month = time_parse_dates(cell->text, cell->n, DATES_MDY, 0, &us);
    l->dates += day || month;
    l->days_first += day && !month;
    l->months_first += month && !day;
    return day || month;
}

static enum status look_at(struct look *l, size_t row, const struct cell *cell, struct error *err)
{
    double value = 0;
    int64_t whole;
    l->code[row] = NO_CODE;
    if (cell_untimed(cell)) /* the usual marks of a missing value */
        return ST_OK;
    bool code = cell->n > 1 && cell->text[0] == '0' && cell->text[1] >= '0' && cell->text[1] <= '9';
    bool number = !code && number_real(cell->text, cell->n, &value);
    bool first = l->texts == 0;
    l->texts++;
    l->reals += number;
    l->whole += number_int(cell->text, cell->n, &whole);
    l->times += sample_is_moment(cell->text, cell->n, number) || (!number && look_at_date(l, cell));
    l->spaces += memchr(cell->text, ' ', cell->n) != NULL;
    l->least = first ? value : fmin(l->least, value);
    l->most = first ? value : fmax(l->most, value);
    return dict_add(&l->levels, cell->text, cell->n, &l->code[row], err);
}

enum status sample_take(struct sample *s, struct error *err)
{
    struct sheet_mark mark = sheet_look(&s->t);
    bool more = true;
    enum status st = ST_OK;
    s->n = s->t.names.n < PREVIEW_COLUMNS ? s->t.names.n : PREVIEW_COLUMNS;
    s->look = mem_new(s->n, sizeof *s->look, "a look at columns", err);
    if (!s->look)
        st = ST_NOMEM;
    for (size_t c = 0; c < s->n && !st; c++) {
        s->look[c].code = mem_new_raw(SAMPLE_ROWS, sizeof *s->look[c].code, "a look at columns", err);
        st = s->look[c].code ? ST_OK : ST_NOMEM;
    }
    while (!st && s->rows < SAMPLE_ROWS) {
        st = sheet_next(&s->t, &more, err);
        if (st || !more)
            break;
        if (s->t.bad)
            continue;
        for (size_t c = 0; c < s->n && !st; c++)
            st = look_at(&s->look[c], s->rows, &s->t.row.cells[c], err);
        s->rows++;
    }
    s->out->whole = !more && s->out->whole;
    s->converted = s->t.feed->converted > 0;
    sheet_rewind(&s->t, &mark);
    return st;
}

bool sample_mostly(size_t part, size_t all)
{
    return all > 0 && part * 10 >= all * 9;
}

const char *sample_name(const struct sample *s, uint32_t column)
{
    return dict_text(&s->t.names, column);
}
