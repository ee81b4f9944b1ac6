package main

import (
	"errors"

	"bethe/internal/memory"
)

// tooLarge turns an error of memory into one that names the flag that lowers it.
func tooLarge(flag string, err error) error {
	if large, ok := errors.AsType[*memory.Error](err); ok {
		return usagef("%s %.0f: %w", flag, large.Value, err)
	}
	return err
}
