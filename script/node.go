package script

import (
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// nodeModules are the parts of Node that are globals here.
var nodeModules = map[string]string{
	"process": `const p = globalThis.process; export default p;
		export const { argv, env, exit, cwd, pid, platform, arch, stdin, stdout, stderr, nextTick, hrtime, uptime } = p;`,
	"timers": `export const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } = globalThis;
		export default { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate };`,
	"timers/promises": `
		function wait(start, stop, value, { signal, ref = true } = {}) {
			return new Promise((resolve, reject) => {
				if (signal?.aborted) throw abortError(signal);
				const timer = start(() => { signal?.removeEventListener('abort', onabort); resolve(value); });
				if (!ref) timer.unref();
				const onabort = () => { stop(timer); reject(abortError(signal)); };
				signal?.addEventListener('abort', onabort, { once: true });
			});
		}
		function abortError(signal) {
			return Object.assign(new Error('The operation was aborted', { cause: signal.reason }), { name: 'AbortError', code: 'ABORT_ERR' });
		}
		const { setTimeout: later, clearTimeout: notLater, setImmediate: soon, clearImmediate: notSoon } = globalThis;
		export const setTimeout = (delay, value, options) => wait((f) => later(f, delay), notLater, value, options);
		export const setImmediate = (value, options) => wait((f) => soon(f), notSoon, value, options);
		export async function* setInterval(delay, value, options) { for (;;) yield setTimeout(delay, value, options); }
		export const scheduler = { wait: (delay, options) => setTimeout(delay, undefined, options), yield: () => setImmediate() };
		export default { setTimeout, setImmediate, setInterval, scheduler };`,
}

func (p *imports) node(args api.OnResolveArgs) (api.OnResolveResult, error) {
	name := strings.TrimPrefix(args.Path, nodeScheme)
	if nodeModules[name] == "" {
		return refused("%q belongs to Node, and is not in the embedded runtime: run the app with --runtime node", args.Path)
	}
	return api.OnResolveResult{Path: name, Namespace: nodeSpace}, nil
}

func (p *imports) loadNode(args api.OnLoadArgs) (api.OnLoadResult, error) {
	text := nodeModules[args.Path]
	return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
}

// nodeBuiltins are the names of Node's own modules that apps import without
// their scheme.
var nodeBuiltins = map[string]bool{
	"assert": true, "buffer": true, "child_process": true, "cluster": true, "crypto": true, "dgram": true, "dns": true,
	"events": true, "fs": true, "fs/promises": true, "http": true, "http2": true, "https": true, "net": true, "os": true,
	"path": true, "perf_hooks": true, "process": true, "readline": true, "stream": true, "stream/promises": true,
	"string_decoder": true, "timers": true, "timers/promises": true, "tls": true, "tty": true, "url": true, "util": true,
	"v8": true, "vm": true, "worker_threads": true, "zlib": true,
}
