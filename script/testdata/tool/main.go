package main

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/script"
)

func main() {
	if os.Args[1] == "-echo" {
		m, err := ipc.LoadManifest("bench-service.ekko.ipc.json")
		if err != nil {
			panic(err)
		}
		s := ipc.NewService(m, nil)
		s.Handle("echo", func(ctx context.Context, r *ipc.Request) (any, error) { return r.Data, nil })
		fmt.Println(s.Serve(context.Background()))
		return
	}
	if os.Args[1] == "-load" {
		c, err := ipc.Dial(context.Background(), "bench-service", nil)
		if err != nil {
			panic(err)
		}
		for _, n := range []int{1, 16, 64, 256} {
			total := 10000
			var wg sync.WaitGroup
			t := time.Now()
			for range n {
				wg.Go(func() {
					for range total / n {
						if _, err := c.Call(context.Background(), "echo", map[string]any{"id": 1, "name": "Ada"}); err != nil {
							panic(err)
						}
					}
				})
			}
			wg.Wait()
			fmt.Println(n, float64(total)/time.Since(t).Seconds(), "calls/s")
		}
		return
	}
	if p := os.Getenv("PROF"); p != "" {
		f, _ := os.Create(p)
		pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	t := time.Now()
	code, err := script.Run(context.Background(), os.Args[1], &script.Options{Args: os.Args[2:]})
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERR", err)
	}
	if os.Getenv("TIMEIT") != "" {
		fmt.Fprintln(os.Stderr, time.Since(t))
	}
	pprof.StopCPUProfile()
	os.Exit(code)
}
