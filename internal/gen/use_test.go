package gen_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/gen/testdata/shop"
	"github.com/ekkojs/ipc/internal/gen/testdata/streams"
	"github.com/ekkojs/ipc/store"
)

// dial serves a golden manifest by what register adds, and calls it.
func dial(t *testing.T, name string, register func(s *ipc.Service)) *ipc.Client {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name, name+".ekko.ipc.json"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := ipc.ParseManifest(text)
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	kept := store.NewMemory()
	s := ipc.NewService(m, &ipc.ServiceOptions{Store: kept, Ready: func(addresses []string) { ready <- addresses[0] }})
	register(s)
	// Not t.TempDir: its long path would not leave room for a socket's name.
	dir, err := os.MkdirTemp("", "ekko")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("EKKO_IPC_RUNTIME_DIR", dir)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	address := ""
	select {
	case address = <-ready:
	case err := <-served:
		served <- err
		t.Fatal(err)
	}
	client, err := ipc.Dial(ctx, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

var free = shop.Money{Currency: "EUR"}

// keeper is a shop that does what the skeleton does not.
type keeper struct {
	shop.Service
	ipc *ipc.Service
	got chan []any
}

func (k *keeper) Order(ctx context.Context, basket shop.Basket, copies int64, speed *string, note *string) (shop.Order, error) {
	k.got <- []any{basket, copies, speed, note}
	former := shop.Order{ID: 6, Status: shop.StatusPaid, Total: free}
	placed := shop.Order{ID: 7, Status: shop.StatusOnItsWay, Lines: basket, Total: free, Former: &former}
	if len(basket) == 0 {
		return placed, ipc.Errorf(shop.CodeSoldOut, "there is nothing")
	}
	return placed, shop.PublishOrderPlaced(ctx, k.ipc, placed)
}

func (k *keeper) Find(ctx context.Context, query shop.FindQuery) (*shop.Order, error) {
	return nil, nil
}
func (k *keeper) Buy(ctx context.Context, basket shop.Basket) error    { return nil }
func (k *keeper) Raw(ctx context.Context, args []ipc.Raw) (any, error) { return args, nil }

func TestAClientCallsAService(t *testing.T) {
	k := &keeper{got: make(chan []any, 1)}
	client := shop.NewClient(dial(t, "shop", func(s *ipc.Service) {
		k.ipc = s
		shop.Register(s, k)
	}))
	ctx := t.Context()
	heard := make(chan shop.Order, 1)
	sub, err := client.SubscribeOrderPlaced(ctx, nil, func(_ context.Context, data shop.Order, _ *ipc.Event) { heard <- data })
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()

	basket := shop.Basket{{Sku: "tea", Price: shop.Money{Amount: 3, Currency: "EUR"}, Tags: []string{"green"}, Parts: []shop.Item{}}}
	placed, err := client.Order(ctx, basket, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := shop.Order{ID: 7, Status: shop.StatusOnItsWay, Lines: basket, Total: free,
		Former: &shop.Order{ID: 6, Status: shop.StatusPaid, Lines: shop.Basket{}, Total: free}}
	if diff := cmp.Diff(want, placed); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{basket, int64(1), (*string)(nil), (*string)(nil)}, <-k.got); diff != "" {
		t.Errorf("the service got other arguments: %s", diff)
	}
	if diff := cmp.Diff(want, <-heard); diff != "" {
		t.Error(diff)
	}
	copies, fast, note := int64(2), "fast", "ring twice"
	if _, err := client.Order(ctx, basket, &copies, &fast, &note); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{basket, copies, &fast, &note}, <-k.got); diff != "" {
		t.Errorf("the service got other arguments: %s", diff)
	}
	if _, err := client.Order(ctx, nil, nil, nil, nil); ipc.CodeOf(err) != shop.CodeSoldOut {
		t.Errorf("an empty basket: %v", err)
	}
	if found, err := client.Find(ctx, shop.FindQuery{Text: "tea"}); found != nil || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	//lint:ignore SA1019 that it still works is what is tested
	if err := client.Buy(ctx, basket); err != nil {
		t.Error(err)
	}
	if raw, err := client.Raw(ctx, 1, "two"); err != nil || raw.String() != `[1,"two"]` {
		t.Errorf("raw answers %s, %v", raw, err)
	}
	if _, err := client.Count(ctx); ipc.CodeOf(err) != ipc.CodeUnimplemented {
		t.Errorf("what is not written: %v", err)
	}
}

// streamer streams.
type streamer struct{ streams.Service }

func (*streamer) Export(_ context.Context, limit int64) iter.Seq2[streams.User, error] {
	return func(yield func(streams.User, error) bool) {
		for i := range limit {
			if !yield(streams.User{Name: "Ada", Age: &i}, nil) {
				return
			}
		}
	}
}

func (*streamer) Import(_ context.Context, group *string, items iter.Seq2[streams.User, error]) (n int64, err error) {
	for _, err := range items {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func (*streamer) Shout(_ context.Context, loud bool, items iter.Seq2[string, error], send func(string) error) error {
	for item, err := range items {
		if err != nil {
			return err
		}
		if loud {
			item += "!"
		}
		if err := send(item); err != nil {
			return err
		}
	}
	return nil
}

func TestStreams(t *testing.T) {
	client := streams.NewClient(dial(t, "streams", func(s *ipc.Service) { streams.Register(s, &streamer{}) }))
	ctx := t.Context()
	var ages []int64
	for user, err := range client.Export(ctx, nil) {
		if err != nil {
			t.Fatal(err)
		}
		ages = append(ages, *user.Age)
	}
	if diff := cmp.Diff([]int64{0, 1, 2}, ages); diff != "" {
		t.Error(diff)
	}
	if n, err := client.Import(ctx, nil, slices.Values(make([]streams.User, 5))); n != 5 || err != nil {
		t.Errorf("imported %d, %v", n, err)
	}
	call, err := client.Shout(ctx, true)
	if err != nil {
		t.Fatal(err)
	}
	defer call.Close()
	if err := call.Send(ctx, "hey"); err != nil {
		t.Fatal(err)
	}
	if item, err := call.Recv(ctx); item != "hey!" || err != nil {
		t.Errorf("shouted %q, %v", item, err)
	}
	if err := call.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := call.Recv(ctx); !errors.Is(err, io.EOF) {
		t.Errorf("after the last item: %v", err)
	}
	for _, err := range client.Both(ctx, 1, nil) {
		if ipc.CodeOf(err) != ipc.CodeUnimplemented {
			t.Errorf("what is not written: %v", err)
		}
	}
}
