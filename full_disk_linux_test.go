package ipc_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/wire"
)

// smallDisk mounts a file system of a few MiB, which is there until all that
// the test cleans up later is through.
func smallDisk(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m,mode=0700"); err != nil {
		t.Skipf("mounting a small file system takes the rights of root: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fillUp takes all the space there is.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for b := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(b)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

// keeping is a service that keeps events on a small disk, with a client that
// publishes them and all that it was told to be kept.
type keeping struct {
	t       *testing.T
	dir     string
	service *ipc.Service
	client  *ipc.Client
	stop    func()

	mu       sync.Mutex
	kept     map[uint64]string // data by its place
	refused  map[string]bool   // not executed, so nobody may see it
	attempts int
}

func (k *keeping) start() {
	k.t.Helper()
	address := localAddress(k.t)
	k.service, k.stop = startKept(k.t, k.dir, address)
	k.client = dial(k.t, address, noRetries)
}

// publish publishes an event of about that size, and returns whether it is
// kept.
func (k *keeping) publish(size int) bool {
	k.mu.Lock()
	k.attempts++
	text := fmt.Sprintf("%d %s", k.attempts, strings.Repeat("x", size))
	k.mu.Unlock()
	r, err := k.client.PublishWith(k.t.Context(), "ledger", text, nil)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		k.kept[r.Seq] = text
		return true
	}
	code := ipc.CodeOf(err)
	if code != wire.CodeStorageFull && code != wire.CodeStorageUnavailable {
		k.t.Errorf("a publisher is told %v", err)
	}
	if detailsOf(k.t, err).Executed == ipc.ExecutedNo {
		k.refused[text] = true
	}
	return false
}

// worksOtherwise makes sure that calls and events go on that nobody keeps.
func (k *keeping) worksOtherwise() {
	k.t.Helper()
	sub := mustSubscribe(k.t, k.client, "tick", nil)
	defer sub.Close()
	for i := range 20 {
		if got, err := k.client.Call(k.t.Context(), "echo", i); err != nil || got.String() != fmt.Sprint(i) {
			k.t.Fatalf("a call: %s, %v", got, err)
		}
		if err := k.client.Publish(k.t.Context(), "tick", i); err != nil {
			k.t.Fatal(err)
		}
		if e := mustNext(k.t, sub); e.Data.String() != fmt.Sprint(i) || e.Gap != nil {
			k.t.Fatalf("an event: %+v", e)
		}
	}
}

// checkAll reads all that is kept from the beginning.
func (k *keeping) checkAll(marker string) {
	k.t.Helper()
	found := map[uint64]string{}
	sub := mustSubscribe(k.t, k.client, "ledger", &ipc.SubscribeOptions{From: ipc.FromFirst()})
	defer sub.Close()
	for last := ""; last != marker; {
		e := mustNext(k.t, sub)
		if err := e.Decode(&last); err != nil || e.Gap != nil {
			k.t.Fatalf("%+v with the gap %+v, %v", e, e.Gap, err)
		}
		if found[e.Seq] = last; k.refused[last] {
			k.t.Errorf("number %d was refused", e.Seq)
		}
	}
	for seq, text := range k.kept {
		if found[seq] != text {
			k.t.Errorf("number %d, which was kept, is %.20q instead of %.20q", seq, found[seq], text)
		}
	}
}

// TestTheDiskOfAServiceIsFull is K5, with a small disk that is filled and
// emptied again, and with a restart now and then.
func TestTheDiskOfAServiceIsFull(t *testing.T) {
	k := &keeping{t: t, dir: smallDisk(t), kept: map[uint64]string{}, refused: map[string]bool{}}
	k.start()
	filler := filepath.Join(k.dir, "filler")
	for cycle := range 8 {
		reader := mustSubscribe(t, k.client, "ledger", &ipc.SubscribeOptions{Durable: "reader", From: ipc.FromFirst()})
		for range 20 {
			if !k.publish(100) {
				t.Fatalf("cycle %d: there is space, and nothing is kept", cycle)
			}
		}
		fillUp(t, filler)
		full := false
		var publishers sync.WaitGroup
		for range 4 {
			publishers.Go(func() {
				for range 5 {
					if !k.publish(40 << 10) {
						k.mu.Lock()
						full = true
						k.mu.Unlock()
					}
				}
			})
		}
		k.worksOtherwise()
		publishers.Wait()
		if !full {
			t.Fatalf("cycle %d: a full disk keeps everything", cycle)
		}
		if e := mustNext(t, reader); e.Gap != nil { // who reads goes on
			t.Errorf("cycle %d: the gap %+v", cycle, e.Gap)
		} else if err := e.Ack(t.Context()); err != nil {
			t.Errorf("cycle %d: %v", cycle, err)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		if !k.publish(100) {
			t.Fatalf("cycle %d: there is space again, and nothing is kept", cycle)
		}
		reader.Close()
		if cycle%4 == 3 {
			k.stop()
			k.start()
		}
		k.checkAll(k.kept[k.service.Next("ledger").Seq-1])
	}
}
