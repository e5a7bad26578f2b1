#include "features/condition_body.h"

#include <math.h>

bool condition_compares_text(const struct comparison *c)
{
    switch (c->subject) {
    case OF_TYPE:
    case OF_USER:
    case OF_ITEM:
        return true;
    case OF_VALUE:
    case OF_TIME:
    case OF_USER_EVENTS:
    case OF_ITEM_EVENTS:
        return false;
    default:
        return c->field->type == FIELD_TEXT || c->field->type == FIELD_LIST;
    }
}

static size_t item_of(const struct condition *whole, size_t e)
{
    return whole->of_items ? e : whole->data->events.item[e];
}

static size_t row_of(const struct condition *whole, const struct comparison *c, size_t e)
{
    if (c->subject == OF_ITEM_FIELD)
        return item_of(whole, e);
    return c->subject == OF_USER_FIELD ? whole->data->events.user[e] : e;
}

static bool has_code(const struct comparison *c, uint32_t code)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->codes[i] == code)
            return true;
    return false;
}

static bool list_holds(const struct comparison *c, size_t row)
{
    const struct field *f = c->field;
    bool any = false;
    for (size_t i = f->list_begin[row]; i < f->list_begin[row + 1]; i++)
        any |= has_code(c, f->list_code[i]);
    return f->list_begin[row] < f->list_begin[row + 1] && any == (c->operator == IN);
}

static bool text_holds(const struct condition *whole, const struct comparison *c, size_t e)
{
    const struct dataset *d = whole->data;
    uint32_t code;
    switch (c->subject) {
    case OF_TYPE:
        code = d->events.type[e];
        break;
    case OF_USER:
        code = d->events.user[e];
        break;
    case OF_ITEM:
        code = (uint32_t)item_of(whole, e);
        break;
    default:
        if (c->field->type == FIELD_LIST)
            return list_holds(c, row_of(whole, c, e));
        code = c->field->code[row_of(whole, c, e)];
    }
    return code != NO_CODE && has_code(c, code) == (c->operator == IN);
}

/* NaN when missing. */
static double number_of(const struct condition *whole, const struct comparison *c, size_t e)
{
    const struct dataset *d = whole->data;
    int64_t integer = NO_INT;
    if (c->subject == OF_USER_EVENTS)
        return whole->user_events[d->events.user[e]];
    if (c->subject == OF_ITEM_EVENTS)
        return whole->item_events[item_of(whole, e)];
    if (c->subject == OF_VALUE)
        return d->events.value ? (double)d->events.value[e] : NAN;
    if (c->subject == OF_TIME)
        integer = d->events.time ? d->events.time[e] : NO_TIME;
    else if (c->field->type == FIELD_REAL)
        return c->field->real[row_of(whole, c, e)];
    else
        integer = c->field->integer[row_of(whole, c, e)];
    return integer == NO_INT ? NAN : (double)integer;
}

static bool number_holds(const struct condition *whole, const struct comparison *c, size_t e)
{
    double x = number_of(whole, c, e);
    if (isnan(x))
        return false;
    switch (c->operator) {
    case LESS:
        return x < c->numbers[0];
    case LESS_EQUAL:
        return x <= c->numbers[0];
    case GREATER:
        return x > c->numbers[0];
    case GREATER_EQUAL:
        return x >= c->numbers[0];
    case IN:
    case NOT_IN:
        break;
    }
    bool any = false;
    for (size_t i = 0; i < c->n; i++)
        any |= x == c->numbers[i];
    return any == (c->operator == IN);
}

static bool node_holds(const struct condition *c, size_t i, size_t e)
{
    const struct node *n = &c->node[i];
    switch (n->type) {
    case NODE_OR:
        return node_holds(c, n->left, e) || node_holds(c, n->right, e);
    case NODE_AND:
        return node_holds(c, n->left, e) && node_holds(c, n->right, e);
    case NODE_NOT:
        return !node_holds(c, n->left, e);
    case NODE_COMPARISON:
        break;
    }
    return condition_compares_text(&n->comparison) ? text_holds(c, &n->comparison, e)
                                                   : number_holds(c, &n->comparison, e);
}

bool condition_holds(const struct condition *c, size_t e)
{
    return node_holds(c, c->n - 1, e);
}
