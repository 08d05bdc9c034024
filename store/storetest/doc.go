// Package storetest is the suite of facts that every store.Store passes.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, dir string) store.Store {
//			return open(t, dir)
//		}, storetest.Options{Persistent: true})
//	}
//
// Facts about time run in a bubble of testing/synctest, so a store needs no
// clock of its own for them: its goroutines see the bubble's, and have to end
// with Close.
package storetest
