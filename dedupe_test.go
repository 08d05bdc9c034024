package ipc_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ekkojs/ipc"
)

// pay calls an idempotent method under a key.
func pay(ctx context.Context, c *ipc.Client, key string, args ...any) (int, error) {
	return ipc.Call[int](ipc.WithIdempotencyKey(ctx, key), c, "pay", args...)
}

func TestOneExecutionForOneKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var executed atomic.Int64
		s := works(t, nil, func(context.Context, *ipc.Request) (any, error) {
			time.Sleep(50 * time.Millisecond)
			return executed.Add(1), nil
		})
		dial := inBubble(t, s)
		var wg sync.WaitGroup
		for range 3 {
			c := dial(noRetries)
			for i := range 20 {
				wg.Go(func() {
					time.Sleep(time.Duration(i) * 5 * time.Millisecond) // some come while it runs, some after
					if got, err := pay(t.Context(), c, "the key", 100); got != 1 || err != nil {
						t.Errorf("got %d, %v", got, err)
					}
				})
			}
		}
		wg.Wait()
		if executed.Load() != 1 {
			t.Errorf("executed %d times", executed.Load())
		}
		idle(t, dial(nil))
	})
}

// TestTheNextIsExecutedWhenTheFirstComesToNothing has the first of a key fail
// in each way that leaves no outcome, while others wait for it.
func TestTheNextIsExecutedWhenTheFirstComesToNothing(t *testing.T) {
	for name, first := range map[string]func(ctx context.Context) error{
		"it panics":            func(context.Context) error { time.Sleep(time.Second); panic("at the disco") },
		"it has no code":       func(context.Context) error { time.Sleep(time.Second); return errors.New("no code") },
		"it did nothing":       func(context.Context) error { time.Sleep(time.Second); return ipc.CodeNotFound },
		"its caller cancels":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"its caller gives up":  func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"its connection ended": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var executed atomic.Int64
				s := works(t, nil, func(ctx context.Context, _ *ipc.Request) (any, error) {
					n := executed.Add(1)
					if n == 1 {
						return nil, first(ctx)
					}
					time.Sleep(time.Second)
					return n, nil
				})
				dial := inBubble(t, s)
				one, others := dial(noRetries), dial(noRetries)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				go func() {
					if _, err := pay(ctx, one, "k"); err == nil {
						t.Error("the first had a result")
					}
				}()
				time.Sleep(10 * time.Millisecond)
				results := make(chan error, 3)
				for range 3 {
					go func() {
						got, err := pay(t.Context(), others, "k")
						if err == nil && got != 2 {
							err = fmt.Errorf("got %d", got)
						}
						results <- err
					}()
				}
				time.Sleep(10 * time.Millisecond)
				switch name {
				case "its caller cancels":
					cancel()
				case "its connection ended":
					one.Close()
				}
				for range 3 {
					if err := <-results; err != nil {
						t.Error(err)
					}
				}
				if executed.Load() != 2 {
					t.Errorf("executed %d times, want 2", executed.Load())
				}
				idle(t, others)
			})
		})
	}
}

// TestKeysAtRandom sends requests with few keys, many of which fail or are
// given up: under each key there is at most one success, and everybody who
// hears of one hears of that.
func TestKeysAtRandom(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 5))
			var mu sync.Mutex // guards the two below
			fate := rand.New(rand.NewPCG(seed, 6))
			succeeded := map[string]int{}
			handler := func(_ context.Context, r *ipc.Request) (any, error) {
				var key string
				var how int
				if err := r.Decode(&key); err != nil {
					return nil, err
				}
				mu.Lock()
				how = fate.IntN(4)
				took := time.Duration(fate.IntN(40)) * time.Millisecond
				mu.Unlock()
				time.Sleep(took)
				mu.Lock()
				defer mu.Unlock()
				switch how {
				case 0:
					return nil, errors.New("nobody knows")
				case 1:
					return nil, ipc.CodeNotFound
				}
				succeeded[key]++
				return succeeded[key], nil
			}
			s := works(t, &ipc.ServiceOptions{QueueDelay: -1}, handler)
			dial := inBubble(t, s)
			clients := []*ipc.Client{dial(noRetries), dial(noRetries)}
			var wg sync.WaitGroup
			for i := range 200 {
				key := fmt.Sprint("key ", random.IntN(12))
				method := []string{"pay", "payOne"}[len(key)%2]
				stop := time.Duration(random.IntN(300)) * time.Millisecond
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(ipc.WithIdempotencyKey(t.Context(), key), stop)
					defer cancel()
					if got, err := ipc.Call[int](ctx, clients[i%2], method, key); err == nil && got != 1 {
						t.Errorf("seed %d: %s succeeded for the %dth time", seed, key, got)
					}
				})
				if i%3 == 0 {
					time.Sleep(2 * time.Millisecond)
				}
			}
			wg.Wait()
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			for key, n := range succeeded {
				if n != 1 {
					t.Errorf("seed %d: %s succeeded %d times", seed, key, n)
				}
			}
			idle(t, clients[0])
		})
	}
}

// counting returns a service whose method pay answers how often it was
// executed, with so many bytes of ballast.
func counting(t *testing.T, opts *ipc.ServiceOptions, ballast int) (c *ipc.Client) {
	var executed atomic.Int64
	s := works(t, opts, func(context.Context, *ipc.Request) (any, error) {
		return []any{executed.Add(1), strings.Repeat("x", ballast)}, nil
	})
	return inBubble(t, s)(nil)
}

// nth returns how often the method had been executed, by the answer under key.
func nth(t *testing.T, c *ipc.Client, key string) int {
	t.Helper()
	raw, err := c.Call(ipc.WithIdempotencyKey(t.Context(), key), "pay")
	if err != nil {
		t.Fatal(err)
	}
	var answer []ipc.Raw
	var n int
	if err := errors.Join(raw.Decode(&answer), answer[0].Decode(&n)); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOutcomesAreForgotten(t *testing.T) {
	t.Run("after a while", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := counting(t, nil, 0)
			first := nth(t, c, "k")
			time.Sleep(ipc.DefaultDedupeWindow - time.Second)
			if again := nth(t, c, "k"); again != first {
				t.Error("executed again within the window")
			}
			time.Sleep(2 * time.Second)
			if again := nth(t, c, "k"); again == first {
				t.Error("remembered for longer than the window")
			}
		})
	})
	t.Run("when there are too many", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := counting(t, nil, 0)
			first, second := nth(t, c, "first"), nth(t, c, "second")
			for i := range ipc.MaxDedupeOutcomes - 1 {
				nth(t, c, fmt.Sprint(i))
			}
			if again := nth(t, c, "second"); again != second {
				t.Error("the second was forgotten as well")
			}
			if again := nth(t, c, "first"); again == first {
				t.Errorf("more than %d are remembered", ipc.MaxDedupeOutcomes)
			}
		})
	})
	t.Run("when they are too long", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const ballast = 512 << 10
			c := counting(t, nil, ballast)
			first := nth(t, c, "first")
			for i := range ipc.MaxDedupeBytes/ballast - 1 {
				nth(t, c, fmt.Sprint(i))
			}
			if again := nth(t, c, "first"); again == first {
				t.Errorf("more than %d bytes are remembered", ipc.MaxDedupeBytes)
			}
		})
	})
	t.Run("at once if the service wants no window", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := counting(t, &ipc.ServiceOptions{DedupeWindow: -1}, 0)
			first := nth(t, c, "k")
			if again := nth(t, c, "k"); again == first {
				t.Error("remembered")
			}
		})
	})
}

func TestOnlySoManyWaitForOneOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := works(t, nil, func(context.Context, *ipc.Request) (any, error) {
			<-release
			return 7, nil
		})
		c := inBubble(t, s)(noRetries)
		results := make(chan error, 1+ipc.MaxDuplicates)
		for range 1 + ipc.MaxDuplicates {
			go func() {
				_, err := pay(t.Context(), c, "k")
				results <- err
			}()
		}
		time.Sleep(10 * time.Millisecond)
		if _, err := pay(t.Context(), c, "k"); ipc.CodeOf(err) != ipc.CodeQueueFull {
			t.Errorf("one too many: %v", err)
		}
		close(release)
		for range 1 + ipc.MaxDuplicates {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		idle(t, c)
	})
}
