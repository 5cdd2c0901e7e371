//! Who answers: banners, `$I`.
