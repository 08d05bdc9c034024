// Package script runs apps written in JavaScript or TypeScript, in which
// calling another process feels like importing a module:
//
//	import service, { getUserById } from 'ipc:database-service';
//	import { serve } from '@ekkojs/ipc';
//
// [Run] takes a .js, .mjs or .ts file and returns its exit code. Nothing else
// has to be installed: the engine (QuickJS) and the bundler (esbuild) are
// compiled in.
//
// # What an app finds
//
// The language of 2025 with TypeScript's types left out, and `using`. Modules
// from its own files, JSON, and node_modules as far as the packages are plain
// JavaScript. The globals of the web that have a meaning here: console,
// timers, URL, TextEncoder, structuredClone, AbortController, EventTarget,
// crypto.randomUUID, fetch. Of Node there are process, node:timers,
// node:timers/promises and node:process. An import of anything else says to
// run the app with --runtime node.
//
// # Services
//
// Importing resolves a service's name and never connects: a service that
// cannot be found is an error of the import, with its place; one that is down
// is an error of the call. Everything that goes wrong between services is an
// IpcError with a code. Calls begin in the order in which the app makes them;
// what happens after a subscription is not missed by it.
//
// A method whose manifest says that it streams to its caller ("stream" is
// "server" or "both") returns no promise but what a loop takes:
//
//	for await (const user of service.exportUsers()) { … }
//
// The call is made when the loop begins, has no timeout but that of $with, and
// is ended when the loop is left. service.$stream(name, …) is the same for a
// service without a manifest at hand. An app serves such a method by a generator.
// Apps cannot stream to a method, nor serve one to which its caller streams:
// both are UNIMPLEMENTED.
//
// # Events
//
// subscribe(pattern, listener, options) and on(pattern, options) take where to
// begin (from: 'first', 'last', 'snapshot', a Date, { epoch, seq }), a filter, a
// group or a durable name, with credit and ackWait. What has to be acknowledged
// is when its listener is through, or its promise fulfilled, and when the loop
// takes the next one. A listener that throws, or rejects, gives the event back:
// it comes again at once, then after 1 s, 2 s and so on. With ack: 'manual' it is
// up to event.ack(), event.nak(delay) and event.reject(reason), which may be used
// anyway. A loop that is left has not acknowledged the event that it was at.
//
// publish(event, data) returns nothing and never throws because of the other
// side. With { confirm: true } or an { id }, and on a channel that keeps its
// events, it returns a promise of the receipt: { stream, epoch, seq, receivers,
// behind }. Who does not wait for it is warned of a failure as ever.
//
// # The life of an app
//
// An app ends by itself when it waits for nothing any more: no call, no
// subscription, no service, no timer. What it published last is delivered
// first. Other ends:
//
//	an error that nobody catches         1, with the error on stderr
//	an await that nothing can settle    13
//	process.exit(n)                      n
//	SIGINT, or the context's end       130
//	SIGTERM                            143
//	SIGTERM while it serves              0, when running requests are through
//
// # What is bounded
//
// The memory of the app's values ([Options.MemoryLimit]), the calls that wait
// for an answer (16,384), the events that wait for a loop (1,024 unless it
// says otherwise), the items of a stream that do (32), and what waits between Go and the engine (4 MiB of events
// and requests; more is left with the services). An app that computes without
// end is ended with the context.
//
// # What differs from Node
//
// An error's stack property has frames only, without the line that says what
// went wrong. structuredClone cannot see that an object is a Proxy. Two
// subscriptions of one app see their events in no common order. Locale data
// is English only.
package script
