//go:build unix

package registry

import (
	"context"
	"fmt"
	"testing"
)

func benchmarkResolve(b *testing.B, w *world, name string, registry func() *Registry) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := registry().Resolve(context.Background(), name); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	w := newWorld(b)
	w.freshness = -1
	for i := range 10 {
		w.write(fmt.Sprintf("$WORK/ipc/other%d.ekko.ipc.json", i), manifestOf(fmt.Sprintf("other%d", i)))
	}
	w.write("$WORK/first.ekko.ipc.json", manifestOf("first"))
	w.write("$HOME/.ekko/ipc/last.ekko.ipc.json", manifestOf("last"))
	warm := func() *Registry { return w.Registry }
	cold := func() *Registry { return New(w.options(nil)) }
	b.Run("warm/first", func(b *testing.B) { benchmarkResolve(b, w, "first", warm) })
	b.Run("warm/last", func(b *testing.B) { benchmarkResolve(b, w, "last", warm) })
	b.Run("cold/first", func(b *testing.B) { benchmarkResolve(b, w, "first", cold) })
	b.Run("cold/last", func(b *testing.B) { benchmarkResolve(b, w, "last", cold) })
	b.Run("notfound", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.Resolve(context.Background(), "nobody"); err == nil {
				b.Fatal("found")
			}
		}
	})
}
