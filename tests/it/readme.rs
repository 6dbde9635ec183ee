//! The manual cannot lie: the commands of README and guide are run.
