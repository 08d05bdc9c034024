package ipc

import "github.com/ekkojs/ipc/internal/session"

// enrolment is what a subscription has at the service. It is asked for anew over
// each connection:
//
//	enter ─▶ entering ─ entered ─▶ id ─ left ─▶ gone ─ enter ─▶ …
//	            └─ refused ─▶ gone, until somebody gives up
//
// Events may come as soon as it is entering. Separate ones carry its id, also
// before entered has said what that is; plain ones carry none, and may begin
// to do so (share).
type enrolment struct {
	connection uint64           // of the client, that it is on or was on last
	id         string           // "" while there is none
	separate   bool             // its events carry an id
	agreed     bool             // the service has, once: it is brought back
	entering   bool             // what it has missed is not known yet
	reads      *session.Session // that is kept read for it; nil while there is none
}

// enter is called before the service is asked, under the id that the events
// will carry ("": none). It returns where the subscription stood.
func (s *Subscription) enter(id string, connection uint64) map[string]cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owed = 0
	p := &s.enrolment
	p.entering, p.separate, p.connection = s.err == nil, id != "", connection
	return s.stands.now()
}

// entered is called when the service has agreed, by the connection of that
// number. stood is where the subscription stood before, and starts where it
// begins now.
func (s *Subscription) entered(id string, connection uint64, stood map[string]cursor, starts map[string]Cursor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enrolment.id, s.enrolment.agreed = id, true
	for stream, start := range starts {
		last, seen := stood[stream]
		if gap := gapBefore(start, last); seen && !s.grouped && gap != nil {
			s.insertLocked(stream, connection, gap)
		}
	}
	// What is told is told once, also if the next connection is lost before
	// anything comes by this one.
	s.stands.skip(starts)
	if s.err == nil {
		s.enrolment.entering = false
		s.wakeLocked()
	}
}

// refused is called when the service has not agreed: the reader need not wait
// for what it would say.
func (s *Subscription) refused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enrolment.entering = false
	s.wakeLocked()
}

// left notes that the connection is gone. What the service still says of it
// does not count.
func (s *Subscription) left() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enrolment.id = ""
}

// on reports whether that is the connection it is on, or was last.
func (s *Subscription) on(connection uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enrolment.connection == connection
}

// sharesOn reports whether what comes by a connection without an id is for it.
// By a new connection nothing is until the service has been asked there: it
// would be ahead of what has been missed.
func (s *Subscription) sharesOn(connection uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.enrolment.separate && s.enrolment.connection == connection
}

// gone reports whether it had a place at the service and wants one again.
func (s *Subscription) gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enrolment.agreed && s.enrolment.id == "" && s.err == nil && (s.opts.Limit <= 0 || s.wantedLocked() > 0)
}

// leave returns the id at the service, which is no longer valid then.
func (s *Subscription) leave() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.enrolment.id
	s.enrolment.id = ""
	return id
}

// is reports whether the service calls it so.
func (s *Subscription) is(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enrolment.id == id
}

// at returns the id at the service for an event that came by a connection, ""
// if that is not the one there is now.
func (s *Subscription) at(connection, now uint64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if connection != now {
		return ""
	}
	return s.enrolment.id
}

// read keeps a session read for it, and the one before no longer.
func (s *Subscription) read(now *session.Session) {
	s.mu.Lock()
	before := s.enrolment.reads
	s.enrolment.reads = now
	s.mu.Unlock()
	if now != nil {
		now.KeepReading(true)
	}
	if before != nil {
		before.KeepReading(false)
	}
}

// join says that its events are to be acknowledged, which was not known when
// it was asked for.
func (s *Subscription) join() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grouped = true
}

// share says that its events come without an id from now on, and of each
// stream those from these places on.
func (s *Subscription) share(from map[string]Cursor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enrolment.separate = false
	s.stands.skip(from)
}
