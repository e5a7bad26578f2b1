#include "config.h"

#include "ingest/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_LIBCURL
#include <curl/curl.h>
#endif

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "ingest/digest.h"

enum status fetch_verify(const struct fetch *f, const char *path, struct job *job, struct fetched *out,
                         struct error *err)
{
    char md5[MD5_TEXT];
    enum status st = digest_sha256(path, job, out->sha256, &out->bytes, err);
    if (st)
        return st;
    if (f->bytes && f->bytes != out->bytes) {
        error_set(err, ST_CORRUPT, "%s has %llu bytes, and should have %llu", path, (unsigned long long)out->bytes,
                  (unsigned long long)f->bytes);
        return ST_CORRUPT;
    }
    if (f->sha256)
        return strcmp(f->sha256, out->sha256) == 0
                   ? ST_OK
                   : error_set(err, ST_CORRUPT, "%s has the wrong checksum: sha256 %s, and should have %s", path,
                               out->sha256, f->sha256);
    if (!f->md5)
        return ST_OK;
    st = digest_md5(path, job, md5, err);
    if (!st && strcmp(f->md5, md5) != 0)
        st = error_set(err, ST_CORRUPT, "%s has the wrong checksum: md5 %s, and should have %s", path, md5, f->md5);
    return st;
}

#ifdef HAVE_LIBCURL

enum { REDIRECTIONS = 5, CONNECT_S = 20, STALLED_S = 60, POLL_MS = 100, VALIDATOR = 256 };

/* One transfer. The part is opened and locked for all of it. */
struct transfer {
    const struct fetch *f;
    struct job *job;
    CURL *curl;
    int fd;                    /* of the part */
    uint64_t at;               /* bytes in the part */
    uint64_t asked;            /* the first byte we asked for; 0: all */
    char part[PATH_MAX], from[PATH_MAX];
    char validator[VALIDATOR]; /* of this answer: an ETag, else its date */
    uint64_t range_begin;      /* of this answer: Content-Range */
    bool ranged, begun;
    uint64_t resumed;          /* where this answer goes on; 0: it begins anew */
    enum status st;            /* what went wrong in a callback */
    struct error *err;
};

bool fetch_can(void)
{
    return true;
}

/* ---- what an earlier attempt left ---- */

/* path.from holds the url and the validator, a line each. */
static bool read_origin(struct transfer *t, char *validator)
{
    char *text = NULL;
    size_t n;
    bool same = false;
    *validator = 0;
    if (file_read(t->from, PATH_MAX + VALIDATOR, &text, &n, NULL))
        return false;
    char *end = strchr(text, '\n');
    if (end && (size_t)(end - text) == strlen(t->f->url) && strncmp(text, t->f->url, strlen(t->f->url)) == 0) {
        snprintf(validator, VALIDATOR, "%.*s", (int)strcspn(end + 1, "\n"), end + 1);
        same = true;
    }
    mem_free(text);
    return same;
}

static enum status write_origin(struct transfer *t)
{
    struct file_draft *d = NULL;
    enum status st = file_draft_open(t->from, &d, t->err);
    if (st)
        return st;
    fprintf(file_draft_stream(d), "%s\n%s\n", t->f->url, t->validator);
    return file_draft_commit(d, t->err);
}

static void forget_part(struct transfer *t)
{
    unlink(t->part);
    unlink(t->from);
}

static enum status open_part(struct transfer *t)
{
    struct stat info;
    t->fd = open(t->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (t->fd < 0 || fstat(t->fd, &info))
        return error_errno(t->err, "write", t->part);
    if (flock(t->fd, LOCK_EX | LOCK_NB)) {
        error_set(t->err, ST_BUSY, "another program is fetching %s", t->f->path);
        error_hint(t->err, "wait for it, or end it");
        return ST_BUSY;
    }
    t->at = (uint64_t)info.st_size;
    return ST_OK;
}

/* ---- what curl hands over ---- */

static size_t take_header(char *line, size_t size, size_t n, void *context)
{
    struct transfer *t = context;
    char text[512];
    (void)size;
    snprintf(text, sizeof text, "%.*s", n < sizeof text ? (int)n : 0, line);
    text[strcspn(text, "\r\n")] = 0;
    if (text_starts(text, "http/")) { /* a redirection before had headers of its own */
        t->validator[0] = 0;
        t->ranged = false;
    } else if (text_starts(text, "etag:")) {
        const char *tag = text + 5 + strspn(text + 5, " \t");
        if (!text_starts(tag, "w/")) /* a weak one does not promise the same bytes */
            snprintf(t->validator, sizeof t->validator, "%.*s", VALIDATOR - 1, tag);
    } else if (text_starts(text, "last-modified:") && !t->validator[0]) {
        snprintf(t->validator, sizeof t->validator, "%.*s", VALIDATOR - 1, text + 14 + strspn(text + 14, " \t"));
    } else if (text_starts(text, "content-range:")) {
        unsigned long long begin;
        t->ranged = sscanf(text + 14, " bytes %llu-", &begin) == 1;
        t->range_begin = t->ranged ? begin : 0;
    }
    return n;
}

/* The first bytes of an answer: is it the rest that we asked for, or all of it again? */
static enum status begin_body(struct transfer *t)
{
    long code = 0;
    curl_off_t length = -1;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    bool rest = code == 206 && t->ranged && t->asked && t->range_begin == t->asked;
    if (code == 206 && !rest)
        return error_set(t->err, ST_IO, "%s: the server sent another part than it was asked for", t->f->url);
    if (!rest) {
        if (ftruncate(t->fd, 0))
            return error_errno(t->err, "write", t->part);
        t->at = 0;
        enum status st = write_origin(t);
        if (st)
            return st;
    }
    if (lseek(t->fd, (off_t)t->at, SEEK_SET) < 0)
        return error_errno(t->err, "write", t->part);
    t->begun = true;
    t->resumed = rest ? t->asked : 0;
    uint64_t total = length > 0 ? t->at + (uint64_t)length : t->f->bytes;
    if (t->job)
        atomic_store(&t->job->total, total);
    return ST_OK;
}

static enum status write_body(struct transfer *t, const char *bytes, size_t n)
{
    enum status st = t->begun ? ST_OK : begin_body(t);
    if (st)
        return st;
    uint64_t most = t->f->bytes ? t->f->bytes : t->f->most;
    if (n > most || t->at > most - n) {
        char limit[32];
        text_bytes(limit, sizeof limit, (double)most);
        error_set(t->err, ST_FORMAT, "%s is larger than %s%s", t->f->url, limit,
                  t->f->bytes ? ", as it should be" : "");
        return ST_FORMAT;
    }
    for (size_t done = 0; done < n;) {
        ssize_t wrote = write(t->fd, bytes + done, n - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return error_errno(t->err, "write", t->part);
        done += (size_t)wrote;
        t->at += (uint64_t)wrote;
    }
    job_set(t->job, t->at);
    return ST_OK;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
    struct transfer *t = context;
    (void)size;
    t->st = write_body(t, bytes, n);
    return t->st ? 0 : n;
}

/* ---- the transfer ---- */

static bool to_this_machine(const char *url)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        size_t n = strlen(hosts[i]);
        if (strncmp(url, hosts[i], n) == 0 && (url[n] == ':' || url[n] == '/'))
            return true;
    }
    return false;
}

static struct curl_slist *configure(struct transfer *t, const char *validator)
{
    CURL *c = t->curl;
    const char *protocols = to_this_machine(t->f->url) ? "http,https" : "https";
    struct curl_slist *headers = NULL;
    curl_easy_setopt(c, CURLOPT_URL, t->f->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
#else
    long mask = strcmp(protocols, "https") == 0 ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS;
    curl_easy_setopt(c, CURLOPT_PROTOCOLS, mask);
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS, mask);
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); /* a cancel does not wait for a name server */
#endif
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTIONS);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    if (t->asked) {
        char range[40], header[VALIDATOR + 16];
        snprintf(range, sizeof range, "%llu-", (unsigned long long)t->asked);
        curl_easy_setopt(c, CURLOPT_RANGE, range);
        snprintf(header, sizeof header, "If-Range: %s", validator);
        headers = curl_slist_append(NULL, header);
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    }
    return headers;
}

/* Runs the transfer to its end, or to a cancel. */
static CURLcode run(struct transfer *t)
{
    CURLM *all = curl_multi_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (!all)
        return code;
    curl_multi_add_handle(all, t->curl);
    for (int running = 1; running && !t->st;) {
        int left;
        CURLMsg *m;
        if (curl_multi_perform(all, &running))
            break;
        while ((m = curl_multi_info_read(all, &left)))
            if (m->msg == CURLMSG_DONE)
                code = m->data.result;
        if (running && !t->st)
            curl_multi_poll(all, NULL, 0, POLL_MS, NULL);
        if (!t->st)
            t->st = job_check(t->job, t->err);
    }
    curl_multi_remove_handle(all, t->curl);
    curl_multi_cleanup(all);
    return code;
}

static void host_of(const char *url, char *out, size_t size)
{
    const char *begin = strstr(url, "://");
    begin = begin ? begin + 3 : url;
    snprintf(out, size, "%.*s", (int)strcspn(begin, "/"), begin);
}

static enum status explain(struct transfer *t, CURLcode code)
{
    char host[200], had[32];
    long answer = 0;
    const char *url = t->f->url;
    host_of(url, host, sizeof host);
    text_bytes(had, sizeof had, (double)t->at);
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
    switch (code) {
    case CURLE_HTTP_RETURNED_ERROR:
        error_set(t->err, ST_IO, "%s answers %ld%s", url, answer, answer == 404 ? ": it has no such file" : "");
        error_hint(t->err, "the publisher may have moved it");
        return ST_IO;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        error_set(t->err, ST_IO, "%s leads away from https", url);
        error_hint(t->err, "only https is fetched (and http from this machine)");
        return ST_IO;
    case CURLE_TOO_MANY_REDIRECTS:
        return error_set(t->err, ST_IO, "%s is redirected more than %d times", url, REDIRECTIONS);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        return error_set(t->err, ST_IO, "%s cannot be reached: %s", host, curl_easy_strerror(code));
    case CURLE_OUT_OF_MEMORY:
        return error_nomem(t->err, sizeof *t, "a download");
    case CURLE_OPERATION_TIMEDOUT:
        error_set(t->err, ST_IO, "%s sends nothing any more (%s are here)", host, had);
        break;
    default:
        error_set(t->err, ST_IO, "the transfer from %s broke off: %s (%s are here)", host, curl_easy_strerror(code),
                  had);
    }
    error_hint(t->err, "`download` again goes on from there");
    return ST_IO;
}

/* A whole part becomes the file when its checksum is right; a wrong one is of no use to anybody. */
static enum status settle(struct transfer *t, struct fetched *out)
{
    job_begin(t->job, t->at, "B", "checking %s", strrchr(t->f->path, '/') ? strrchr(t->f->path, '/') + 1 : t->f->path);
    enum status st = fetch_verify(t->f, t->part, t->job, out, t->err);
    if (st == ST_CORRUPT) {
        if (t->f->bytes && t->at < t->f->bytes) {
            error_hint(t->err, "`download` again goes on from there");
            return st;
        }
        forget_part(t);
        error_hint(t->err, "it is removed; `download` again begins anew. If that does not help the publisher has "
                           "changed the file");
    }
    if (!st)
        st = file_move(t->part, t->f->path, t->err);
    if (!st)
        unlink(t->from);
    return st;
}

static enum status transfer_once(struct transfer *t, const char *validator, CURLcode *code)
{
    t->curl = curl_easy_init();
    if (!t->curl)
        return error_nomem(t->err, sizeof *t, "a download");
    t->begun = t->ranged = false;
    t->validator[0] = 0;
    t->st = ST_OK;
    struct curl_slist *headers = configure(t, validator);
    *code = run(t);
    enum status st = t->st ? t->st : *code ? explain(t, *code) : ST_OK;
    if (!st && !t->begun) /* an answer without a body: an empty file */
        st = t->asked ? error_set(t->err, ST_IO, "%s sends an empty answer", t->f->url) : begin_body(t);
    long answer = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
    curl_slist_free_all(headers);
    curl_easy_cleanup(t->curl);
    /* The part reaches past the end of what the server has now. */
    if (st && t->asked && answer == 416) {
        *code = CURLE_RANGE_ERROR;
        return ST_OK;
    }
    return st;
}

enum status fetch_file(const struct fetch *f, struct job *job, struct fetched *out, struct error *err)
{
    struct transfer t = {.f = f, .job = job, .fd = -1, .err = err};
    char validator[VALIDATOR];
    CURLcode code = CURLE_OK;
    memset(out, 0, sizeof *out);
    if (strncmp(f->url, "https://", 8) != 0 && !to_this_machine(f->url)) {
        error_set(err, ST_USAGE, "%s is not fetched: only https is", f->url);
        return ST_USAGE;
    }
    if (snprintf(t.part, sizeof t.part, "%s.part", f->path) >= (int)sizeof t.part ||
        snprintf(t.from, sizeof t.from, "%s.from", f->path) >= (int)sizeof t.from)
        return error_set(err, ST_IO, "the path is too long: %s", f->path);
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return error_nomem(err, sizeof t, "libcurl");
    enum status st = open_part(&t);
    if (!st) {
        bool known = t.at > 0 && read_origin(&t, validator) && validator[0];
        t.asked = known ? t.at : 0;
        job_begin(job, f->bytes, "B", "download %s", strrchr(f->path, '/') ? strrchr(f->path, '/') + 1 : f->path);
        if (!(known && f->bytes && t.at == f->bytes)) /* whole, and killed before it was checked */
            st = transfer_once(&t, validator, &code);
    }
    if (!st && code == CURLE_RANGE_ERROR) {
        t.asked = 0;
        st = transfer_once(&t, "", &code);
    }
    out->resumed_at = t.resumed;
    if (!st)
        st = settle(&t, out);
    if (st == ST_FORMAT)
        forget_part(&t);
    if (t.fd >= 0)
        close(t.fd);
    curl_global_cleanup();
    return st;
}

#else

bool fetch_can(void)
{
    return false;
}

enum status fetch_file(const struct fetch *f, struct job *job, struct fetched *out, struct error *err)
{
    (void)f;
    (void)job;
    memset(out, 0, sizeof *out);
    error_set(err, ST_UNSUPPORTED, "this tailor was built without libcurl: it fetches nothing");
    return ST_UNSUPPORTED;
}

#endif
