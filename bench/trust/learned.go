package main

import (
	"context"
	"errors"
)

func learned(context.Context, *settings, func(string, func() *built) error) error {
	return errors.New("later")
}
