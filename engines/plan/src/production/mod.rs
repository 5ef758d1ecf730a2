//! Production: which operation runs when on which machine.
