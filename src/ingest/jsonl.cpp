#include <list>
#include <new>
#include <simdjson.h>
#include <string>

extern "C" { /* the headers of base/ are C */
#include "ingest/jsonl.h"
}

using namespace simdjson;

namespace
{

constexpr int deepest = 8; /* events are flat: what nests deeper is no event */

} // namespace

struct jsonl {
    ondemand::parser parser;
    std::list<std::string> joined; /* the arrays of this line: cells point into them */
    jsonl_take take = nullptr;
    void *context = nullptr;
    const char *reason = nullptr;
    error *err = nullptr;
    status st = ST_OK;
};

namespace
{

bool bad(jsonl &j, const char *reason)
{
    j.reason = reason;
    return false;
}

const char *describe(error_code e)
{
    switch (e) {
    case UTF8_ERROR:
        return "not valid UTF-8";
    case NUMBER_ERROR:
    case NUMBER_OUT_OF_RANGE:
        return "a number that is malformed or too large";
    case STRING_ERROR:
        return "a broken escape in a string";
    case UNESCAPED_CHARS:
        return "a control character in a string";
    case UNCLOSED_STRING:
        return "a string is not closed";
    case CAPACITY:
        return "too long a line";
    case INCORRECT_TYPE:
        return "not a JSON object";
    default:
        return "malformed JSON";
    }
}

/* A scalar as text. *present is false for null. */
bool scalar(jsonl &j, ondemand::value value, ondemand::json_type type, cell &out, bool &present)
{
    present = true;
    out = cell{};
    error_code e = SUCCESS;
    if (type == ondemand::json_type::string) {
        std::string_view text;
        e = value.get_string().get(text);
        if (!e && text.find('\0') != std::string_view::npos)
            return bad(j, "a NUL byte");
        out.text = text.data();
        out.n = text.size();
        out.quoted = true;
    } else if (type == ondemand::json_type::number) {
        std::string_view token = value.raw_json_token();
        size_t n = token.find_last_not_of(" \t\r\n");
        double ignored;
        e = value.get_double().get(
            ignored); /* checks the form; the text stays as it came, so that long ids keep all digits */
        out.text = token.data();
        out.n = n == std::string_view::npos ? 0 : n + 1;
    } else if (type == ondemand::json_type::boolean) {
        bool yes = false;
        e = value.get_bool().get(yes);
        out.text = yes ? "true" : "false";
        out.n = yes ? 4 : 5;
    } else {
        bool null = false;
        e = value.is_null().get(null);
        if (!e && !null)
            return bad(j, "malformed JSON");
        present = false;
    }
    return e ? bad(j, describe(e)) : true;
}

bool hand_over(jsonl &j, std::string_view key, const cell &c)
{
    j.st = j.take(j.context, key.data(), key.size(), &c, j.err);
    return j.st == ST_OK;
}

bool array(jsonl &j, std::string_view key, ondemand::array values)
{
    j.joined.emplace_back();
    std::string &joined = j.joined.back();
    bool any = false;
    for (auto element : values) {
        ondemand::value value;
        ondemand::json_type type;
        error_code e = element.get(value);
        if (!e)
            e = value.type().get(type);
        if (e)
            return bad(j, describe(e));
        if (type == ondemand::json_type::array || type == ondemand::json_type::object)
            return bad(j, "an array of arrays or objects");
        cell c;
        bool present;
        if (!scalar(j, value, type, c, present))
            return false;
        if (!present)
            continue;
        if (any)
            joined.push_back(LIST_MARK);
        joined.append(c.text, c.n);
        any = true;
    }
    if (!any)
        return true;
    cell c = {};
    c.text = joined.data();
    c.n = joined.size();
    c.quoted = c.list = true;
    return hand_over(j, key, c);
}

bool object(jsonl &j, const std::string &prefix, ondemand::object members, int depth)
{
    if (depth > deepest)
        return bad(j, "nested too deep");
    for (auto member : members) {
        std::string_view name;
        ondemand::value value;
        ondemand::json_type type;
        error_code e = member.unescaped_key().get(name);
        if (!e)
            e = member.value().get(value);
        if (!e)
            e = value.type().get(type);
        if (e)
            return bad(j, describe(e));
        std::string path;
        if (!prefix.empty()) {
            path = prefix + "." + std::string(name);
            name = path;
        }
        if (type == ondemand::json_type::object) {
            ondemand::object inner;
            e = value.get_object().get(inner);
            if (e)
                return bad(j, describe(e));
            if (!object(j, std::string(name), inner, depth + 1))
                return false;
        } else if (type == ondemand::json_type::array) {
            ondemand::array inner;
            e = value.get_array().get(inner);
            if (e)
                return bad(j, describe(e));
            if (!array(j, name, inner))
                return false;
        } else {
            cell c;
            bool present;
            if (!scalar(j, value, type, c, present))
                return false;
            if (present && !hand_over(j, name, c))
                return false;
        }
    }
    return true;
}

bool document(jsonl &j, const char *line, size_t n)
{
    ondemand::document doc;
    ondemand::object root;
    error_code e = j.parser.iterate(line, n, n + SIMDJSON_PADDING).get(doc);
    if (!e)
        e = doc.get_object().get(root);
    if (e)
        return bad(j, describe(e));
    if (!object(j, std::string(), root, 1))
        return false;
    const char *rest;
    return doc.current_location().get(rest) ? true
                                            : bad(j, "text behind the JSON object"); /* an error: nothing is left */
}

} // namespace

jsonl *jsonl_new(error *err)
{
    jsonl *j = new (std::nothrow) jsonl;
    if (!j)
        error_nomem(err, sizeof *j, "a JSON reader");
    return j;
}

void jsonl_free(jsonl *j)
{
    delete j;
}

status jsonl_read(jsonl *j, const char *line, size_t n, jsonl_take take, void *context, const char **reason, error *err)
{
    j->joined.clear();
    j->take = take;
    j->context = context;
    j->reason = nullptr;
    j->err = err;
    j->st = ST_OK;
    try {
        document(*j, line, n);
    } catch (const std::bad_alloc &) {
        j->st = error_nomem(err, n, "a line of JSON");
    }
    *reason = j->reason;
    return j->st;
}
