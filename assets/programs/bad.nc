(A program with mistakes, to see how sunmill tells of them: it must not run)
(Each mistake stands below the comment that names it)
G21 G90 G17 G94 G54
G0 Z5

(1: it cuts, and no feed was set; nor was the spindle started, which is a warning)
G1 X10 Y0

(2: the ends of this arc are not as far from its centre as each other)
G2 X20 Y10 I5 J0 F500

(3: this radius is too small to reach the end)
G3 X60 Y10 R5

(4: a number with an exponent)
G1 X1e3 F500

(5: a letter without a number)
G1 Y F500

(6: two motions in one line)
G0 G1 X5

(7: a code that no controller here has)
G84.3 X1

(8: a number that is none)
G1 Xnan

(9: an axis that this machine does not have)
G1 W5

(10: the units change in the middle, which is a warning)
G20
G1 X1
G21

M30
