#!/usr/bin/env python3
"""A web server that misbehaves on request, for tests/download.sh.  http_server.py FOLDER PORT_FILE LOG

/plain/F  the file, with ETag and ranges          /norange/F  without ranges
/short/F  half of it, then the connection breaks  /endless/F  zeros for ever, no length
/slow/F   64 KiB now, then 1 KiB a second         /cut/F      half of it the first time, then all (with ranges)
/to/SCHEME/REST  a redirection                    /loop       a redirection to itself
/changed/F  an ETag of its own every time, half of it the first time
"""
import hashlib
import http.server
import os
import re
import sys
import threading
import time

folder, port_file, log = sys.argv[1:4]
seen = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def note(self):
        with open(log, "a") as f:
            f.write("%s %s range=%s if-range=%s\n" % (self.command, self.path, self.headers.get("Range"),
                                                     self.headers.get("If-Range")))

    def redirect(self, to):
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.note()
        self.close_connection = True
        parts = self.path.strip("/").split("/", 1)
        kind = parts[0]
        count = seen[self.path] = seen.get(self.path, 0) + 1
        if kind == "loop":
            return self.redirect("/loop")
        if kind == "to":
            scheme, rest = parts[1].split("/", 1)
            return self.redirect(scheme + "://" + rest)
        if kind == "endless":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            while True:
                self.wfile.write(b"0" * 65536)
        try:
            with open(os.path.join(folder, os.path.basename(parts[1])), "rb") as f:
                data = f.read()
        except (OSError, IndexError):
            self.send_response(404)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        tag = '"%s"' % hashlib.md5(data).hexdigest()
        if kind == "changed":
            tag = '"%d"' % count
        begin = 0
        m = re.match(r"bytes=(\d+)-$", self.headers.get("Range") or "")
        if m and kind != "norange" and self.headers.get("If-Range") in (None, tag):
            begin = int(m.group(1))
        if begin > len(data):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_response(206 if begin else 200)
        if kind != "norange":
            self.send_header("ETag", tag)
        if begin:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (begin, len(data) - 1, len(data)))
        self.send_header("Content-Length", str(len(data) - begin))
        self.send_header("Connection", "close")
        self.end_headers()
        body = data[begin:]
        if kind == "short" or (kind in ("cut", "changed") and count == 1):
            body = body[:len(body) // 2]
        if kind == "slow":
            self.wfile.write(body[:65536])
            for at in range(65536, len(body), 1024):
                self.wfile.flush()
                time.sleep(1)
                self.wfile.write(body[at:at + 1024])
        else:
            self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        pass


server = Server(("127.0.0.1", 0), Handler)
with open(port_file + ".new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(port_file + ".new", port_file)
# Nobody is left behind when the test is killed.
parent = os.getppid()
threading.Thread(target=lambda: [time.sleep(1) for _ in iter(lambda: os.getppid() == parent, False)] and os._exit(0),
                 daemon=True).start()
server.serve_forever()
