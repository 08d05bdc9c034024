package ipc

import "github.com/ekkojs/ipc/internal/hub"

// HeldForTest is how many bytes of events wait for the clients of s, as its
// budgets count them.
func HeldForTest(s *Service) int64 { return s.budgets.all.Used() }

// DefaultQueueForTest is how many events may wait for a subscriber.
const DefaultQueueForTest = hub.DefaultQueueMessages
