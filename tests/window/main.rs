//! The window, driven as a hand would: what is clicked and typed goes to the worker, and undo brings it back.

mod window;
