// Package events proves what is promised of events: they are published,
// read, acknowledged and refused by many processes at once while those are
// killed, stopped and cut off, the service among them; everybody writes down
// what happened to him, and afterwards the records are held against each
// other.
//
// # Two parts
//
// Kept makes a history of channels that keep their events: a persistent topic
// with durable subscriptions of several speeds, a persistent queue with two
// groups, a queue and a bundled topic in memory. Each publisher is sequential
// and publishes an event again, under the same ID, until it has a receipt.
// Each record is one write to a file opened for appending, so it outlives its
// process. In the end nothing is killed any more, the groups are drained, and
// what the service keeps is written down as well. Check is a function of the
// history and of nothing else.
//
// Plain is for events that nobody keeps, of which there are too many to write
// each of them down. A reader holds each event against those before it: the
// sequence numbers of a stream have no holes but those that a gap notice
// names, and the counters of its publishers have none but as many as all
// notices count. Both have to come out exactly, for readers that do not keep
// up, that are stopped, and whose connections are cut.
//
// # Evidence
//
// Each rule is broken by a mutation of a healthy history, and most also by a
// Plant: a fault in the store, in the service's way to its clients, or in a
// reader, that a run must find under the name of the rule.
package events
