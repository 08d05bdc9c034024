package ipc_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
)

// BenchmarkCall is a whole call, checked against the manifest on the way,
// with both ends in this process. bench/ has it between processes.
func BenchmarkCall(b *testing.B) {
	address, _ := start(b, nil)
	c := dial(b, address, nil)
	payload := ipc.Raw(`["` + strings.Repeat("x", 100) + `"]`)
	for _, callers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			b.ReportAllocs()
			var wg sync.WaitGroup
			for i := range callers {
				n := (b.N + i) / callers
				wg.Go(func() {
					for range n {
						if _, err := c.CallRaw(context.Background(), "echo", payload); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
	b.Run("typed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ipc.Call[user](context.Background(), c, "user", 123); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPublish(b *testing.B) {
	address, s := start(b, nil)
	for _, subscribers := range []int{0, 1, 10} {
		b.Run(fmt.Sprintf("subscribers=%d", subscribers), func(b *testing.B) {
			var wg sync.WaitGroup
			for range subscribers {
				c, err := ipc.Dial(b.Context(), address, nil)
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				sub, err := c.Subscribe(b.Context(), "user.updated", nil)
				if err != nil {
					b.Fatal(err)
				}
				wg.Go(func() {
					for n := 0; n < b.N; n++ {
						e, err := sub.Next(context.Background())
						if err != nil {
							b.Error(err)
							return
						}
						if e.Gap != nil {
							n += int(e.Gap.To - e.Gap.From + 1)
						}
					}
				})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if err := s.Publish(context.Background(), "user.updated", i); err != nil {
					b.Fatal(err)
				}
			}
			wg.Wait()
		})
	}
}

// BenchmarkSlowCall is a call of a handler that waits for something, and is
// therefore given a goroutine.
func BenchmarkSlowCall(b *testing.B) {
	s := newFixture(&ipc.ServiceOptions{Logger: quiet})
	s.HandleDefault(func(context.Context, *ipc.Request) (any, error) {
		<-time.After(500 * time.Microsecond)
		return nil, nil
	})
	c := dial(b, serve(b, s), nil)
	for _, callers := range []int{16, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			b.ReportAllocs()
			var wg sync.WaitGroup
			for i := range callers {
				n := (b.N + i) / callers
				wg.Go(func() {
					for range n {
						if _, err := c.CallRaw(context.Background(), "absent", nil); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
