"""A page that says how long a duration is: `HOST=127.0.0.1 PORT=8080 python3 -m durations.web`, then /1h30m."""

import html
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from durations.text import parse

PAGE = """<!doctype html>
<title>durations</title>
<h1>{text} is {seconds} seconds</h1>
"""


class Page(BaseHTTPRequestHandler):
    """One page for each duration."""

    def do_GET(self):
        text = unquote(urlsplit(self.path).path.strip("/")) or "1h30m"
        body = PAGE.format(text=html.escape(text), seconds=parse(text)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Page).serve_forever()
