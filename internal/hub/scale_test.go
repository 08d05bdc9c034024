package hub

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

// town is a hub with many subscriptions, as that of a service that everything
// on a machine listens to.
type town struct {
	hub    *Hub
	events []string // for each of which there are a few subscribers
	bytes  float64  // of the heap, for each subscription
}

const (
	townSubscriptions = 100_000
	townSubscribers   = 500
)

// towns are the ways in which so many subscriptions come about.
var towns = []struct {
	name string
	text func(i int) string // of subscription i
}{
	// A third are literal, a third have any token in the middle, and a third
	// are open at the end; ten subscribers want the same.
	{"10000 texts", func(i int) string { return townText(i%10_000/3, i%3) }},
	// One in ten is a pattern, and nobody wants what another one wants.
	{"10000 patterns", func(i int) string {
		if i%10 == 0 {
			return townText(i/10, 1+i/10%2)
		}
		return townText(i, 0)
	}},
}

func townText(n, kind int) string {
	switch kind {
	case 0:
		return fmt.Sprintf("shop%d.order%d.placed", n%100, n)
	case 1:
		return fmt.Sprintf("shop%d.*.item%d", n%100, n)
	default:
		return fmt.Sprintf("shop%d.user%d.**", n%100, n)
	}
}

func newTown(t testing.TB, text func(i int) string) *town {
	t.Helper()
	v := &town{hub: New(nil)}
	for n := range 3000 {
		shop := n % 100
		v.events = append(v.events,
			fmt.Sprintf("shop%d.order%d.placed", shop, n),   // the literal
			fmt.Sprintf("shop%d.new.item%d", shop, n),       // any token
			fmt.Sprintf("shop%d.user%d.item%d", shop, n, n), // both
			fmt.Sprintf("shop%d.user%d.cart.left", shop, n)) // the open end
	}
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(v.events), func(i, j int) { v.events[i], v.events[j] = v.events[j], v.events[i] })
	order := random.Perm(townSubscriptions)
	before := heap()
	subscribers := make([]*Subscriber, townSubscribers)
	for i := range subscribers {
		subscribers[i] = v.hub.Attach(nil)
	}
	for i, n := range order {
		mustSubscribe(t, subscribers[i%townSubscribers], text(n))
	}
	v.bytes = float64(heap()-before) / townSubscriptions
	runtime.KeepAlive(order)
	return v
}

// TestManySubscriptionsAreSmall: 100,000 subscriptions are less than 30 MB.
func TestManySubscriptionsAreSmall(t *testing.T) {
	for _, x := range towns {
		v := newTown(t, x.text)
		t.Logf("%s: %.0f bytes for each of %d subscriptions", x.name, v.bytes, townSubscriptions)
		if v.bytes > 300 {
			t.Error("more than 300")
		}
		if n := v.hub.Stats().Subscriptions; n != townSubscriptions {
			t.Errorf("%d subscriptions", n)
		}
	}
}

// BenchmarkMatch is how long it takes to find out who wants an event, which
// is asked once after each change of the subscriptions.
func BenchmarkMatch(b *testing.B) {
	for _, x := range towns {
		b.Run(fmt.Sprintf("%d/%s", townSubscriptions, x.name), func(b *testing.B) {
			v := newTown(b, x.text)
			var targets []target
			found, i := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				name := v.events[i%len(v.events)]
				targets, _ = v.hub.index.match(name, name, true, targets)
				found += len(targets)
				i++
			}
			b.ReportMetric(float64(found)/float64(i), "subscribers")
			b.ReportMetric(v.bytes, "B/subscription")
		})
	}
}
