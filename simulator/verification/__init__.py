"""The checks of `fadeline verify`: simulations against closed forms."""
