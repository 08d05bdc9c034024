package script_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/store/disk"
)

const shopManifest = `{
  "service": { "name": "shop", "version": "1.0.0" },
  "events": { "order.placed": {}, "order.shipped": {} },
  "channels": {
    "orders": { "events": ["order.*"], "persistent": true },
    "jobs": { "type": "queue" },
    "full": { "type": "queue", "retention": { "maxMessages": 1 } },
    "news": {}
  }
}`

// shop serves from a script, with a store on the disk.
func shop(t *testing.T, dir, state string) *program {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "shop.ekko.ipc.json"), []byte(shopManifest), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProgram(t)
	p.configure = func(_ *ipc.Manifest, o *ipc.ServiceOptions) (func() error, error) {
		kept, err := disk.Open(state, nil)
		if err != nil {
			return nil, err
		}
		o.Store = kept
		return kept.Close, nil
	}
	p.start(dir, "shop.ts", `
import { serve } from '@ekkojs/ipc';
const svc = await serve('shop', {});
const receipt = await svc.publish('order.placed', { order: 0 });
svc.publish('news', 'open');
console.log('kept', receipt.stream, receipt.seq);
console.log('serving');
`)
	return p.until("serving")
}

func (p *program) stop() {
	p.t.Helper()
	p.signals <- syscall.SIGTERM
	if code := p.end(); code != 0 {
		p.t.Errorf("the exit code is %d", code)
	}
}

// TestKept: what a script publishes on a channel that keeps its events is
// there for who comes later, even after a restart, and durable subscriptions
// go on where they stopped.
func TestKept(t *testing.T) {
	dir := network(t)
	state := filepath.Join(t.TempDir(), "state")
	service := shop(t, dir, state)
	app := inBackground(t, dir, "publish.ts", `
import shop from 'ipc:shop';
console.log(shop.publish('news', 1));
const receipts = await Promise.all([1, 2, 3].map((order) => shop.publish('order.placed', { order })));
console.log(receipts.map(({ stream, seq, receivers }) => [stream, seq, receivers]));
const once = await shop.publish('order.shipped', { order: 1 }, { id: 'order-1-shipped' });
const twice = await shop.publish('order.shipped', { order: 1 }, { id: 'order-1-shipped' });
console.log(once.seq === twice.seq, once.duplicate, twice.duplicate);
const { stream, seq } = await shop.publish('news', 2, { confirm: true });
console.log(stream, seq);
await shop.publish('nothing', 1, { confirm: true }).catch((e) => console.log(e.code, e.service));
for (const bad of [{ id: 5 }, 5]) try { shop.publish('news', 1, bad); } catch (e) { console.log(e.name, e.message); }
for await (const { data, stream, seq } of shop.on('orders', { from: 'first' })) { console.log(data, stream, seq); if (seq === 5) break; }
for await (const { data, seq } of shop.on('order.placed', { from: new Date(0), filter: 'order > 1' })) { console.log(data); if (seq === 4) break; }
for await (const { data } of shop.on('orders', { durable: 'audit', from: 'first' })) { console.log('audit', data); if (data.order === 1) break; }
await shop.on('news', { from: 'nowhere' }).next().catch((e) => console.log(e.code, e.message));
await shop.on('news', { group: 'x' }).next().catch((e) => console.log(e.code));
for (const bad of [{ group: 1 }, { credit: 0 }, { ackWait: 'x' }, { ack: 'no' }]) try { shop.on('news', bad); } catch (e) { console.log(e.message); }
console.log('done');
`, "done")
	want := `undefined
[ [ 'orders', 2, 0 ], [ 'orders', 3, 0 ], [ 'orders', 4, 0 ] ]
true undefined true
news 3
CHANNEL_NOT_FOUND shop
TypeError the id of an event must be a string, got 5
TypeError the options must be an object, got 5
{ order: 0 } orders 1
{ order: 1 } orders 2
{ order: 2 } orders 3
{ order: 3 } orders 4
{ order: 1 } orders 5
{ order: 2 }
{ order: 3 }
audit { order: 0 }
audit { order: 1 }
INVALID_ARGUMENT from is 'new', 'first', 'last', 'snapshot', { epoch, seq } or a Date, not "nowhere"
INVALID_ARGUMENT
the group must be a string, got 1
credit must be a positive number, got 0
ackWait must be a positive number, got "x"
ack must be 'auto' or 'manual', got "no"
done
`
	if app.end(); app.out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", &app.out, want)
	}
	service.stop()

	service = shop(t, dir, state)
	app = inBackground(t, dir, "audit.ts", `
import shop from 'ipc:shop';
const stop = shop.subscribe('orders', async (data, event) => {
  console.log('audit', data, event.seq, typeof event.ack);
  await null;
  if (event.seq === 6) { stop(); await null; console.log('stopped'); } // it is acknowledged all the same
}, { durable: 'audit' });
process.on('exit', () => console.log('done'));
`, "done")
	want = `audit { order: 1 } 2 function
audit { order: 2 } 3 function
audit { order: 3 } 4 function
audit { order: 1 } 5 function
audit { order: 0 } 6 function
stopped
done
`
	if app.end(); app.out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", &app.out, want)
	}
	c, err := ipc.Dial(t.Context(), "shop", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	queues, err := c.Queues(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queues {
		for _, g := range q.Groups {
			if g.Waiting != 0 || g.Pending != 0 || g.Again != 0 {
				t.Errorf("%s of %s has not acknowledged all: %+v", g.Name, q.Channel, g)
			}
		}
	}
	service.stop()
}

// TestQueue: a message is acknowledged when its listener is through, comes
// again when that has failed, and can be settled by hand.
func TestQueue(t *testing.T) {
	dir := network(t)
	service := shop(t, dir, filepath.Join(t.TempDir(), "state"))
	p := newProgram(t)
	p.complains = "the listener of jobs failed: Error: on the first try\n    at <anonymous> (queue.ts:9:47)\n"
	p.start(dir, "queue.ts", `
import shop from 'ipc:shop';
const told = Promise.withResolvers<void>();
for (const n of [1, 2, 3, 4, 5]) await shop.publish('jobs', n);
const stop = shop.subscribe('jobs', async (n, event) => {
  await null;
  console.log(n, event.deliveries ?? 1, event.redelivered ?? false);
  switch (n) {
    case 1: if (!event.redelivered) throw new Error('on the first try'); break;
    case 2: if (!event.redelivered) return event.nak(); break;
    case 3: return event.reject('nobody wants it');
    case 5: if (event.deliveries === 3) { await event.ack(); await event.ack(); told.resolve(); } else await event.nak(1);
  }
}, { group: 'workers', credit: 1 });
await told.promise;
stop();
const [{ dead, groups }] = (await shop.$call('ipc.queues')).filter((q) => q.channel === 'jobs');
console.log(dead, groups.map((g) => g.name));
const [letter] = await shop.$call('ipc.messages', { channel: 'jobs', dead: true });
console.log(letter.data, letter.reason, letter.group);
await shop.publish('full', 1);
await shop.publish('full', 2).catch((e) => console.log(e.code));
for await (const { data } of shop.on('full')) { console.log('took', data); break; }
const again = shop.on('full', { ack: 'manual' });
const { value } = await again.next();
console.log(value.data, value.redelivered);
await value.ack();
await again.return();
console.log((await shop.publish('full', 3)).seq);
console.log('done');
`)
	p.until("done")
	want := `1 1 false
1 2 true
2 1 false
2 2 true
3 1 false
4 1 false
5 1 false
5 2 true
5 3 true
1 [ 'workers' ]
3 nobody wants it workers
STORAGE_FULL
took 1
1 true
2
done
`
	if p.end(); p.out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", &p.out, want)
	}
	service.stop()
}

// TestKeptButNotAwaited: a receipt that nobody waits for is as if there were
// none: the event is delivered in its turn, and a failure is a warning.
func TestKeptButNotAwaited(t *testing.T) {
	dir := network(t)
	service := shop(t, dir, filepath.Join(t.TempDir(), "state"))
	p := newProgram(t)
	p.start(dir, "exit.ts", `
import shop from 'ipc:shop';
for (let n = 1; n <= 20; n++) shop.publish('orders', n);
console.log('done');
process.exit(0);
`)
	p.until("done").end()
	app := inBackground(t, dir, "read.ts", `
import shop from 'ipc:shop';
const got: unknown[] = [];
for await (const { data } of shop.on('orders', { from: 'first' })) { got.push(data); if (data === 20) break; }
console.log(got.slice(1).join());
console.log('done');
`, "done")
	if app.end(); app.out.String() != "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20\ndone\n" {
		t.Errorf("printed\n%s", &app.out)
	}
	service.stop()
}
