package hub

import (
	"context"
	"fmt"
	"testing"
)

var payload = []byte(`{"orderId":456,"total":99.99,"customer":"somebody with a name","items":["first","second","third"],"x":1}`)

func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{0, 1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("subscribers=%d", n), func(b *testing.B) {
			h := New(nil)
			var subscribers []*Subscriber
			for range n {
				s := h.Attach(nil)
				mustSubscribe(b, s, "order.*")
				subscribers = append(subscribers, s)
			}
			buf := make([]byte, 0, 1<<20)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := h.Publish(context.Background(), Publication{Name: "order.completed", Data: payload}); err != nil {
					b.Fatal(err)
				}
				if i%512 == 511 { // as a connection would
					for _, s := range subscribers {
						for s.Pending() {
							buf = s.AppendTo(buf[:0], 64<<10)
						}
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*max(n, 1)), "ns/delivery")
		})
	}
}

// BenchmarkPublishToFullQueue is the price of a reader that is gone.
func BenchmarkPublishToFullQueue(b *testing.B) {
	h := New(nil)
	s := h.Attach(nil)
	mustSubscribe(b, s, "order.*")
	b.ReportAllocs()
	for b.Loop() {
		h.Publish(context.Background(), Publication{Name: "order.completed", Data: payload})
	}
}

func BenchmarkAppendTo(b *testing.B) {
	h := New(nil)
	s := h.Attach(nil)
	mustSubscribe(b, s, "order.*")
	buf := make([]byte, 0, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for range 1000 {
			h.Publish(context.Background(), Publication{Name: "order.completed", Data: payload})
		}
		b.StartTimer()
		for s.Pending() {
			buf = s.AppendTo(buf[:0], 64<<10)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/message")
}

// BenchmarkMatchHostile is the worst that patterns can do to one event.
func BenchmarkMatchHostile(b *testing.B) {
	name, patterns := hostilePatterns(10_000)
	x, _, _ := indexOf(patterns)
	var targets []target
	b.ReportAllocs()
	for b.Loop() {
		targets, _ = x.match(name, name, true, targets)
	}
	b.ReportMetric(float64(len(targets)), "matches")
}

func BenchmarkSubscribeUnsubscribe(b *testing.B) {
	h := New(nil)
	for i := range 100 {
		h.Publish(context.Background(), Publication{Name: fmt.Sprintf("order.n%d", i), Data: nil})
	}
	s := h.Attach(nil)
	for _, pattern := range []string{"order.n1", "order.*"} {
		b.Run(pattern, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				id, _ := mustSubscribe(b, s, pattern)
				s.Unsubscribe(id)
			}
		})
	}
}
