"""What the user chose, as one frozen value, and the request or the sentence that it resolves to; no Qt."""
