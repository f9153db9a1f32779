"""What the JSON API takes and gives, one file per noun, with examples for the OpenAPI document."""
