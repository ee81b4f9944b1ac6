package main
func more() {}
