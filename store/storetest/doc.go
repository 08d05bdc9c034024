// Package storetest is the suite of facts that every store.Store passes.
package storetest
