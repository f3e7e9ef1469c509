"""A demo of background jobs: two kinds of jobs, what runs them, and a web app that adds them."""
