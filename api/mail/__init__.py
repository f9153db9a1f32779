"""Mail: written as MIME, handed over by SMTP, returned mail read back."""
