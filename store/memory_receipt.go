package store

// receipts are the calls of done that are due, in order. Whoever appends
// while nobody calls them does so, for the others as well until none is left.
type receipts struct {
	// Guarded by the log's mu.
	running bool
	waiting []waitingReceipt
	spare   []waitingReceipt
}

type waitingReceipt struct {
	done    func(Receipt)
	receipt Receipt
}

// runReceipts calls what waits. The caller has set running.
func (l *memoryLog) runReceipts() {
	l.mu.Lock()
	for len(l.waiting) > 0 {
		batch := l.waiting
		l.waiting, l.spare = l.spare, nil
		l.mu.Unlock()
		for i := range batch {
			if batch[i].done != nil {
				batch[i].done(batch[i].receipt)
			}
		}
		clear(batch)
		l.mu.Lock()
		if cap(batch) <= 1024 { // a burst need not be remembered
			l.spare = batch[:0]
		}
	}
	l.running = false
	if l.closed {
		l.idle.Broadcast()
	}
	l.mu.Unlock()
}

func (l *memoryLog) Close() error {
	l.mu.Lock()
	first := !l.closed
	l.closed = true
	if first {
		l.records, l.ids, l.copier = fifo[Record]{}, memoryIDs{}, memoryCopier{}
		l.stats.Messages, l.stats.Bytes = 0, 0
	}
	for l.running {
		l.idle.Wait()
	}
	l.mu.Unlock()
	if first {
		l.forget()
	}
	return nil
}
