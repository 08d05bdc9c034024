package script

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
)

// TestInboxIsBounded: what the app did not ask for waits while it is behind;
// what it asked for does not.
func TestInboxIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newInbox()
		big := func(dst []byte) []byte {
			return append(append(append(dst, '"'), strings.Repeat("x", inboxLimit)...), '"')
		}
		small := func(dst []byte) []byte { return append(dst, '1') }
		if err := b.offer(t.Context(), big); err != nil {
			t.Fatal(err)
		}
		offered := make(chan error, 1)
		go func() { offered <- b.offer(t.Context(), small) }()
		ctx, cancel := context.WithCancel(t.Context())
		go func() { offered <- b.offer(ctx, small) }()
		synctest.Wait()
		cancel()
		if err := <-offered; err != context.Canceled {
			t.Fatalf("the offer that was given up returned %v", err)
		}
		b.put(small)
		if text := b.take(); !strings.HasSuffix(text, `"],[1]]`) {
			t.Errorf("the inbox ends with %q", text[len(text)-20:])
		}
		if err := <-offered; err != nil {
			t.Fatal(err)
		}
		if text := b.take(); text != "[[1]]" || !b.empty() || b.take() != "" {
			t.Errorf("the inbox held %q", text)
		}
	})
}
