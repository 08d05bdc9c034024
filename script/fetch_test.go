package script_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ekkojs/ipc/script"
)

// runText runs an app of one file and returns what it printed.
func runText(t *testing.T, text string, o script.Options) (stdout, stderr string, code int) {
	t.Helper()
	r := &run{dir: t.TempDir(), entry: "app.ts"}
	if err := os.WriteFile(filepath.Join(r.dir, r.entry), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if o.Env == nil {
		o.Env = []string{}
	}
	o.Dir = r.dir
	r.options = o
	code, err := r.do(t.Context())
	if err != nil {
		t.Errorf("Run: %v", err)
	}
	return r.stdout.String(), r.stderr.String(), code
}

func TestFetch(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Method", r.Method)
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "%s %s %s", r.Header.Get("Content-Type"), r.Header.Get("X-Mine"), body)
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"a":[1,"é"]}`) })
	mux.HandleFunc("/bytes", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte{0xff, 0, 1}) })
	mux.HandleFunc("/empty", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/json", http.StatusFound) })
	mux.HandleFunc("/hangs", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	defer server.Close()

	const app = `
const base: string = process.env.BASE!;
const show = async (path: string, init?: any) => { const r = await fetch(base + path, init); return [r.status, r.ok, r.statusText, await r.text()]; };
console.log(await show('/echo', { method: 'post', body: JSON.stringify({ a: 1 }), headers: { 'content-type': 'application/json', 'X-Mine': ' yes ' } }));
console.log(await show('/echo', { method: 'PUT', body: new URLSearchParams({ q: 'x y' }) }));
console.log(await (await fetch(new Request(base + '/echo', { method: 'DELETE', body: new Uint8Array([104, 105]) }))).text());
const r = await fetch(new Request(base + '/echo', { headers: [['x-mine', 'pairs']] })); console.log(r.headers.get('x-method'), r.headers.getSetCookie(), r.headers.has('nope'), r.bodyUsed, await r.text(), r.bodyUsed);
await r.text().catch((e: any) => console.log(e.name, e.message));
console.log(await (await fetch(base + '/json')).json(), await (await fetch(base + '/bytes')).bytes(), (await (await fetch(base + '/bytes')).arrayBuffer()).byteLength, await show('/empty'), await show('/nope'));
const moved = await fetch(base + '/moved'); console.log(moved.redirected, moved.url === base + '/json', moved.clone().status);
console.log(await show('/moved', { redirect: 'manual' }).then((r) => r[0]));
await fetch(base + '/moved', { redirect: 'error' }).catch((e: any) => console.log(e.name, e.message, e.cause instanceof Error));
await fetch(base + '/hangs', { signal: AbortSignal.timeout(5) }).catch((e: any) => console.log(e.name));
const c = new AbortController(); const hangs = fetch(base + '/hangs', { signal: c.signal }); c.abort('enough'); await hangs.catch((e: any) => console.log(e));
for (const bad of ['nope', 'file:///etc/passwd', 'http://127.0.0.1:1/']) await fetch(bad).catch((e: any) => console.log(e.name, e.message));
for (const init of [{ method: 'GET', body: 'x' }, { method: 'a b' }, { headers: { 'a b': 'c' } }, { headers: { a: 'b\nc' } }, { signal: 1 }]) await fetch(base, init as any).catch((e: any) => console.log(e.name));
console.log(await Response.json({ a: 1 }).text(), new Response('x').headers.get('content-type'), [...new Headers({ B: '2', a: '1' })]);
const never = fetch(base + '/hangs'); process.exit(0);
`
	stdout, stderr, code := runText(t, app, script.Options{Env: []string{"BASE=" + server.URL}})
	const want = `[ 201, true, 'Created', 'application/json yes {"a":1}' ]
[
  201,
  true,
  'Created',
  'application/x-www-form-urlencoded;charset=UTF-8  q=x+y'
]
  hi
GET [ 'a=1', 'b=2' ] false false  pairs  true
TypeError the body has been read already
{ a: [ 1, 'é' ] } Uint8Array(3) [ 255, 0, 1 ] 3 [ 204, true, 'No Content', '' ] [ 404, false, 'Not Found', '404 page not found\n' ]
true true 200
302
TypeError fetch failed true
TimeoutError
enough
TypeError Invalid URL
TypeError fetch speaks http and https, not file:
TypeError fetch failed
TypeError
TypeError
TypeError
TypeError
TypeError
{"a":1} text/plain;charset=UTF-8 [ [ 'a', '1' ], [ 'b', '2' ] ]
`
	if stdout != want || stderr != "" || code != 0 {
		t.Errorf("exit %d\n%s\nwant\n%s\nstderr: %s", code, stdout, want, stderr)
	}
}

// TestMemoryLimit: an app that takes too much memory ends, and nothing else.
func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	const app = "const hoard = []; for (;;) hoard.push(new Array(1000).fill(hoard.length));"
	_, stderr, code := runText(t, app, script.Options{MemoryLimit: 32 << 20})
	if code != script.ExitFailed || !strings.HasPrefix(stderr, "Uncaught ") || !strings.Contains(stderr, "memory") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}
