"""Quality cards (红黄牌): derived from recorded facts, lived by recorded acts."""
