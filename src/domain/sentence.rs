//! Reasons as sentences, in English and Swedish (D13). The only place that words them.
