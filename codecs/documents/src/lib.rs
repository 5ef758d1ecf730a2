//! baton-documents
