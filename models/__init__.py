"""Learn, judge, explain: numbers only, no network and no screen."""
