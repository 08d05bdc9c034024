package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/mail"
	"net/url"
	"strings"

	"github.com/ekkojs/ipc"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// user is a row of the table, and what the methods answer.
type user struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// newUser is what createUser takes.
type newUser struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// users is the table.
type users struct{ db *sql.DB }

const schema = `
CREATE TABLE IF NOT EXISTS users (
	id    INTEGER PRIMARY KEY AUTOINCREMENT,
	name  TEXT NOT NULL,
	email TEXT NOT NULL UNIQUE COLLATE NOCASE
);
INSERT OR IGNORE INTO users (id, name, email) VALUES (123, 'Ada Lovelace', 'ada@example.com');`

// openUsers opens the table in a file, or in memory if file is empty. Ada is
// always in it.
func openUsers(ctx context.Context, file string) (*users, error) {
	source := "file::memory:"
	if file != "" {
		source = (&url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: "_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)"}).String()
	}
	db, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, err
	}
	// A database in memory belongs to its one connection; and one writer at a
	// time is all that SQLite does in a file.
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("preparing the database: %w", err)
	}
	return &users{db}, nil
}

func (u *users) Close() error { return u.db.Close() }

// byID returns one user.
func (u *users) byID(ctx context.Context, id int64) (user, error) {
	found := user{ID: id}
	err := u.db.QueryRowContext(ctx, "SELECT name, email FROM users WHERE id = ?", id).Scan(&found.Name, &found.Email)
	if errors.Is(err, sql.ErrNoRows) {
		return user{}, ipc.Errorf(ipc.CodeNotFound, "no user has id %d", id)
	}
	return found, err
}

// page is how many users are read at once.
const page = 100

// all returns all users in the order of their ids, page by page: a reader that
// takes its time must not hold the one connection to the database.
func (u *users) all(ctx context.Context) iter.Seq2[user, error] {
	return func(yield func(user, error) bool) {
		for last := int64(0); ; {
			found, err := u.after(ctx, last)
			if err != nil {
				yield(user{}, err)
				return
			}
			for _, each := range found {
				if !yield(each, nil) {
					return
				}
				last = each.ID
			}
			if len(found) < page {
				return
			}
		}
	}
}

// after returns the page of users that begins behind id.
func (u *users) after(ctx context.Context, id int64) (found []user, err error) {
	rows, err := u.db.QueryContext(ctx, "SELECT id, name, email FROM users WHERE id > ? ORDER BY id LIMIT ?", id, page)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var each user
		if err := rows.Scan(&each.ID, &each.Name, &each.Email); err != nil {
			return nil, err
		}
		found = append(found, each)
	}
	return found, rows.Err()
}

// create adds a user, or says what is wrong with it.
func (u *users) create(ctx context.Context, n newUser) (user, error) {
	added := user{Name: strings.TrimSpace(n.Name), Email: strings.TrimSpace(n.Email)}
	if err := added.check(); err != nil {
		return user{}, err
	}
	err := u.db.QueryRowContext(ctx, "INSERT INTO users (name, email) VALUES (?, ?) RETURNING id", added.Name, added.Email).Scan(&added.ID)
	if isTaken(err) {
		return user{}, ipc.Errorf(ipc.CodeAlreadyExists, "a user with email %s exists", added.Email)
	}
	return added, err
}

const maxName = 200

func (u *user) check() error {
	switch address, err := mail.ParseAddress(u.Email); {
	case u.Name == "":
		return invalid("/userData/name", "a user needs a name")
	case len(u.Name) > maxName:
		return invalid("/userData/name", "the name is longer than %d bytes", maxName)
	case u.Email == "":
		return invalid("/userData/email", "a user needs an email address")
	case err != nil || address.Address != u.Email:
		return invalid("/userData/email", "%q is not an email address", u.Email)
	}
	return nil
}

// invalid is a refused argument, with the place of the fault in it.
func invalid(path, format string, args ...any) error {
	err := ipc.Errorf(ipc.CodeInvalidArgument, format, args...)
	err.Details.Path = path
	return err
}

func isTaken(err error) bool {
	var refused *sqlite.Error
	return errors.As(err, &refused) && refused.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}
