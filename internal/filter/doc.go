// Package filter judges an event by the fields of its data.
package filter
