// Package group decides which member of a group has which record of a log.
package group
